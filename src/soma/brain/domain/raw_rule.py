"""The rule of seed 000, 4.5, to the letter, with the faults that decisions on it name: see learning.py for
the one that is used unless it is asked for.

Its gate never closes, its signal is always positive, dopamine rises whatever happens, and norepinephrine and
acetylcholine, which start at .5, are cut to .1 at the first step.
"""

from dataclasses import replace

from soma.brain.domain.feedback import Signals
from soma.brain.domain.learned_state import LearnedState
from soma.brain.domain.neuromodulators import Neuromodulators
from soma.brain.domain.weights import BOUNDS, Weights
from soma.brain.kernels import adaptation, salience

GAINS = {"alpha": 1.0, "beta": 0.0, "gamma": -0.5, "tau": 0.0, "lambda_": 1.0, "mu": -0.25, "nu": -0.25}


def raw_salience(confidence: float) -> float:
    """.6·confidence + .4·(1 − confidence), in [.4, .6]: it takes confidence for novelty."""
    return salience.NOVELTY_SHARE * confidence + salience.ERROR_SHARE * (1.0 - confidence)


def raw_step(before: LearnedState, signals: Signals) -> LearnedState:
    """The state after one step; `signals` are those for LearningSignal.RAW. The reward baseline stays."""
    levels = _levels(before.neuromodulators, signals)
    rate = adaptation.learning_rate(levels.dopamine)
    return replace(
        before,
        weights=_weights(before.weights, rate, signals.reward),
        neuromodulators=levels,
        step=before.step + 1,
    )


def _levels(now: Neuromodulators, signals: Signals) -> Neuromodulators:
    error = 1.0 - signals.reward
    return Neuromodulators(
        dopamine=_clamp(now.dopamine + 0.1 * signals.reward, 0.2, 0.8),
        serotonin=_clamp(now.serotonin + 0.01 * (1.0 - abs(error - 0.5)), 0.0, 1.0),
        norepinephrine=_clamp(now.norepinephrine + 0.01 * signals.urgency, 0.0, 0.1),
        acetylcholine=_clamp(now.acetylcholine + 0.01 * signals.attention, 0.0, 0.1),
    )


def _weights(before: Weights, rate: float, confidence: float) -> Weights:
    return Weights(
        **{
            name: adaptation.step(getattr(before, name), gain, rate, confidence, *BOUNDS[name])
            for name, gain in GAINS.items()
        }
    )


def _clamp(value: float, low: float, high: float) -> float:
    return min(high, max(low, value))
