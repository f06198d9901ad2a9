"""How agents learn, as an installation sets it."""

from dataclasses import dataclass, field

from soma.brain.domain.learning_signal import LearningSignal
from soma.brain.domain.regret import RegretSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class LearningSettings:
    """`signal` is what learned weights follow, `watch` when an agent goes back by itself."""

    signal: LearningSignal = LearningSignal.PREDICTION_ERROR
    watch: RegretSettings = field(default_factory=RegretSettings)
