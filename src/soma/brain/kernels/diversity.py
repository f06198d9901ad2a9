"""Choosing what is relevant and not like what was chosen before.

Source: J. Carbonell and J. Goldstein, The Use of MMR, Diversity-Based Reranking, SIGIR 1998.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """Which were chosen, in order, (k,), and what each was worth when it was, (k,): never more than the one
    before."""

    chosen: NDArray[np.intp]
    gains: Floats


def diverse(scores: Floats, vectors: NDArray[np.floating], count: int, diversity: float) -> Selection:
    """`count` of n items, or all of fewer, by `scores` (n,) and unit `vectors` (n, d); `diversity` λ in [0,
    1].

    Each next one is the best by (1 − λ)·score − λ·(largest cosine to one chosen, at least 0), scores spread
    over [0, 1]; of equals the first. With λ = 0 it is the order of the scores, with λ = 1 the first is the
    best by score and the others are the least alike. O(k·n·d).
    """
    left = _spread(scores)
    order = np.argsort(-scores, kind="stable")
    nearest = np.zeros(len(scores))
    chosen, gains = list[int](), list[float]()
    open_ = np.ones(len(scores), np.bool_)
    for _ in range(min(count, len(scores))):
        worth = np.where(open_, (1.0 - diversity) * left - diversity * nearest, -np.inf)
        # In the order of the scores: of what is worth the same, the better by score comes first.
        best = int(order[int(np.argmax(worth[order]))])
        chosen.append(best)
        gains.append(float(worth[best]))
        open_[best] = False
        nearest = np.maximum(nearest, vectors @ vectors[best])
    return Selection(chosen=np.array(chosen, np.intp), gains=np.array(gains))


def _spread(scores: Floats) -> Floats:
    """`scores` from 0, the lowest, to 1; all 1 where they are the same."""
    low, high = scores.min(initial=np.inf), scores.max(initial=-np.inf)
    return (scores - low) / (high - low) if high > low else np.ones(len(scores))
