"""The temperature τ of selection: a gradient of its own, and a cap on how undecided it leaves the choice."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

RATE = 0.05
LARGEST = 0.02
"""A step of τ is at most so long: 40 questions take it from one bound to the other."""

ENTROPY = 0.95
"""The largest share of log n that the entropy of a choice among n may have: beyond, it is hardly a choice."""


def probabilities(scores: Floats, tau: float) -> Floats:
    """softmax(scores/τ), (n,), n ≥ 1: summing to 1. τ > 0."""
    raised = np.exp((scores - scores.max()) / tau)
    shares: Floats = raised / raised.sum()
    return shares


def gradient(scores: Floats, relevant: Flags, tau: float) -> float:
    """d/dτ of −log(the probability of the relevant ones together): (E[s | relevant] − E[s])/τ², expectations
    under the choice at τ. At least one of `scores` (n,) is relevant."""
    chances = probabilities(scores, tau)
    among = chances * relevant
    return float((among @ scores / among.sum() - chances @ scores) / tau**2)


def entropy(scores: Floats, tau: float) -> float:
    """The entropy of the choice at τ as a share of log n, in [0, 1]; n ≥ 2."""
    chances = probabilities(scores, tau)
    held = chances[chances > 0.0]
    return float(-(held * np.log(held)).sum() / np.log(len(scores)))


def next_tau(tau: float, scores: Floats, relevant: Flags, low: float, high: float) -> float:
    """τ after a question with feedback, in [low, high]: down its gradient, and down by LARGEST while the
    choice is above the cap."""
    if entropy(scores, tau) > ENTROPY:
        return max(low, tau - LARGEST)
    step = RATE * gradient(scores, relevant, tau)
    return min(high, max(low, tau - min(LARGEST, max(-LARGEST, step))))
