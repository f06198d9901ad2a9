"""The covariance of a stream of vectors in a few rows: Frequent Directions with a buffer.

For all vectors so far as the rows of A, the sketch's rows B keep 0 ≼ AᵀA − BᵀB and, for every k < L,
‖AᵀA − BᵀB‖₂ ≤ ‖A − A_k‖²_F/(L − k), where A_k is A's best approximation of rank k. The buffer makes a vector
cost O(Ld) on average, and two sketches merge with the same bound.
Source: M. Ghashami, E. Liberty, J. Phillips, D. Woodruff, Frequent Directions, SIAM J. Comput. 45(5), 2016.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sketch:
    """`rows` (r, d), r ≤ 2·rank; `rank` is L; `count` vectors of total square norm `energy` are in it; the
    error in any direction is at most `lost`."""

    rows: Doubles
    rank: int
    count: int = 0
    energy: float = 0.0
    lost: float = 0.0


def empty(rank: int, dimension: int) -> Sketch:
    """A sketch of no vectors (d = `dimension`)."""
    return Sketch(rows=np.empty((0, dimension)), rank=rank)


def absorb(sketch: Sketch, vectors: NDArray[np.floating]) -> Sketch:
    """The sketch with `vectors` (n, d) added, one after the other."""
    rows, lost, added = sketch.rows, sketch.lost, vectors.astype(np.float64)
    start = 0
    while start < len(added):
        taken = added[start : start + 2 * sketch.rank - len(rows)]
        rows, delta = _bounded(np.concatenate([rows, taken]), sketch.rank)
        lost, start = lost + delta, start + len(taken)
    return Sketch(
        rows=rows,
        rank=sketch.rank,
        count=sketch.count + len(added),
        energy=sketch.energy + float(np.sum(np.square(added))),
        lost=lost,
    )


def merge(one: Sketch, other: Sketch) -> Sketch:
    """The sketch of both streams; the rank is the smaller of the two."""
    rank = min(one.rank, other.rank)
    rows, delta = _bounded(np.concatenate([one.rows, other.rows]), rank)
    return Sketch(
        rows=rows,
        rank=rank,
        count=one.count + other.count,
        energy=one.energy + other.energy,
        lost=one.lost + other.lost + delta,
    )


def _bounded(rows: Doubles, rank: int) -> tuple[Doubles, float]:
    """`rows`, shrunk to `rank` where the buffer is full, and what each direction lost at most."""
    return _shrunk(rows, rank) if len(rows) >= 2 * rank else (rows, 0.0)


def _shrunk(rows: Doubles, rank: int) -> tuple[Doubles, float]:
    """The `rank` strongest directions, each weaker by the square δ of the next one; and δ. The Gram matrix is
    small where the rows are long, and what its squares round away is below what δ takes."""
    squares, directions = np.linalg.eigh(rows @ rows.T)
    squares = np.maximum(squares, 0.0)
    delta = float(squares[-rank - 1]) if len(squares) > rank else 0.0
    strongest = squares[-rank:]
    share = np.divide(strongest - delta, strongest, out=np.zeros_like(strongest), where=strongest > 0)
    return (np.sqrt(share) * directions[:, -rank:]).T @ rows, delta
