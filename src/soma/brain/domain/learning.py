"""The learning rule: state and signals in, state out. No clock, no chance: the same input gives the same
bits (LEARN-002)."""

from dataclasses import dataclass, replace
from typing import Any

from soma.brain.domain.feedback import Signals
from soma.brain.domain.learned_state import LearnedState
from soma.brain.domain.learning_signal import LearningSignal
from soma.brain.domain.modulation import Modulation
from soma.brain.domain.neuromodulators import Neuromodulators
from soma.brain.domain.raw_rule import raw_salience, raw_step
from soma.brain.domain.weights import BOUNDS, FIELD_OF, GAINS, Weights
from soma.brain.kernels import adaptation, neuromodulation, prediction, salience


@dataclass(frozen=True, kw_only=True, slots=True)
class Learning:
    """What one feedback did. Where `applied` is false the gate stayed shut: the learning rate is 0, and
    before and after differ in nothing but the step."""

    before: LearnedState
    after: LearnedState
    reward: float
    prediction_error: float
    salience: float
    learning_rate: float
    applied: bool
    signal: LearningSignal = LearningSignal.PREDICTION_ERROR

    def to_dict(self) -> dict[str, Any]:
        """The JSON object that streams and traces show."""
        return {
            "weights_before": self.before.weights.to_dict(),
            "weights_after": self.after.weights.to_dict(),
            "neuromodulators_before": self.before.neuromodulators.to_dict(),
            "neuromodulators_after": self.after.neuromodulators.to_dict(),
            "reward": self.reward,
            "prediction_error": self.prediction_error,
            "salience": self.salience,
            "learning_rate": self.learning_rate,
            "applied": self.applied,
            "signal": self.signal.value,
        }


def learn(before: LearnedState, signals: Signals) -> Learning:
    """One step of the rule (brain.md, Learning, 1 to 4), or of the raw one."""
    if signals.follows is LearningSignal.RAW:
        return _learn_raw(before, signals)
    error = prediction.prediction_error(signals.reward, before.reward_baseline)
    worth = salience.salience(signals.novelty, error)
    if salience.opens_gate(worth):
        levels = _levels(before, signals, error)
        rate = Modulation.of(levels).learning_rate
        after = LearnedState(
            weights=_weights(before.weights, rate, error),
            neuromodulators=levels,
            resting=before.resting,
            reward_baseline=prediction.next_baseline(before.reward_baseline, error, rate),
            step=before.step + 1,
        )
    else:
        rate = 0.0
        after = replace(before, step=before.step + 1)
    return Learning(
        before=before,
        after=after,
        reward=signals.reward,
        prediction_error=error,
        salience=worth,
        learning_rate=rate,
        applied=rate > 0.0,
    )


def _learn_raw(before: LearnedState, signals: Signals) -> Learning:
    after = raw_step(before, signals)
    return Learning(
        before=before,
        after=after,
        reward=signals.reward,
        prediction_error=prediction.prediction_error(signals.reward, before.reward_baseline),
        salience=raw_salience(signals.reward),
        learning_rate=Modulation.of(after.neuromodulators).learning_rate,
        applied=True,
        signal=signals.follows,
    )


def _levels(before: LearnedState, signals: Signals, error: float) -> Neuromodulators:
    now, rest = before.neuromodulators, before.resting
    return Neuromodulators(
        dopamine=neuromodulation.dopamine(now.dopamine, rest.dopamine, error),
        serotonin=neuromodulation.serotonin(now.serotonin, rest.serotonin, error),
        norepinephrine=neuromodulation.norepinephrine(
            now.norepinephrine, rest.norepinephrine, signals.urgency
        ),
        acetylcholine=neuromodulation.acetylcholine(now.acetylcholine, rest.acetylcholine, signals.attention),
    )


def _weights(before: Weights, rate: float, error: float) -> Weights:
    return Weights(
        **{
            name: adaptation.step(getattr(before, name), GAINS[name], rate, error, *BOUNDS[name])
            for name in FIELD_OF.values()
        }
    )
