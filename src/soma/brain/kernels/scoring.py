"""From features of candidates to an order and to probabilities."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def recency(ages: Floats, half_life: float) -> Floats:
    """2^(−age/half_life) for each age, any shape, in (0, 1]; both in one unit. An age below 0 counts as 0."""
    return np.exp2(-np.maximum(ages, 0.0) / half_life)


def fuse(features: Floats, weights: Floats) -> Floats:
    """Convex combination of feature columns: features (n, k) in [0, 1], weights (k,) ≥ 0 with a positive
    sum; returns (n,) in [0, 1]."""
    fused: Floats = features @ (weights / weights.sum())
    return fused


def selection_probabilities(scores: Floats, tau: float) -> Floats:
    """softmax(scores/τ), shape (n,), summing to 1 (empty for no scores). τ > 0."""
    if scores.size == 0:
        return scores
    raised: Floats = np.exp((scores - scores.max()) / tau)
    shares: Floats = raised / raised.sum()
    return shares


def logistic(x: Floats, slope: float, midpoint: float) -> Floats:
    """1/(1 + e^(−slope·(x − midpoint))), any shape."""
    return 1.0 / (1.0 + np.exp(-slope * (x - midpoint)))
