"""Confidence as any rising curve of the score. For many outcomes.

Source: M. Ayer et al., An Empirical Distribution Function for Sampling with Incomplete Information, 1955
(pool adjacent violators); B. Zadrozny and C. Elkan, KDD 2002 (for calibration).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class RisingCurve:
    """`heights` (m,), never falling, over rising `scores` (m,); straight in between, level outside."""

    scores: Doubles
    heights: Doubles


def pool_adjacent_violators(values: Doubles, weights: Doubles) -> Doubles:
    """The never falling sequence (n,) nearest to `values` (n,) in squares weighted by `weights` (n,) > 0.

    Keeps the weighted mean; a rising sequence is left as it is. O(n).
    """
    means: list[float] = []
    masses: list[float] = []
    lengths: list[int] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        mean, mass, length = value, weight, 1
        while means and means[-1] >= mean:
            before, heavy = means.pop(), masses.pop()
            mean = (before * heavy + mean * mass) / (heavy + mass)
            mass, length = mass + heavy, length + lengths.pop()
        means.append(mean)
        masses.append(mass)
        lengths.append(length)
    return np.repeat(np.array(means, np.float64), np.array(lengths, np.intp))


def fit_isotonic(scores: Doubles, outcomes: Doubles) -> RisingCurve:
    """The curve for `outcomes` (n,) in [0, 1] over `scores` (n,), n ≥ 1. Equal scores make one point."""
    distinct, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    means = np.bincount(places, outcomes) / counts
    heights = pool_adjacent_violators(means, counts.astype(np.float64))
    return RisingCurve(scores=distinct, heights=heights)


def compact(curve: RisingCurve) -> RisingCurve:
    """The same curve without the points inside its level stretches."""
    heights = curve.heights
    inside = np.zeros(len(heights), np.bool_)
    inside[1:-1] = (heights[1:-1] == heights[:-2]) & (heights[1:-1] == heights[2:])
    return RisingCurve(scores=curve.scores[~inside], heights=heights[~inside])


def heights_at(curve: RisingCurve, scores: Doubles) -> Doubles:
    """What the curve says of `scores`, any shape."""
    return np.interp(scores, curve.scores, curve.heights)
