"""How agents learn, as an installation sets it."""

from dataclasses import dataclass

from soma.brain.domain.learning_signal import LearningSignal


@dataclass(frozen=True, kw_only=True, slots=True)
class LearningSettings:
    """`signal` is what learned weights follow."""

    signal: LearningSignal = LearningSignal.PREDICTION_ERROR
