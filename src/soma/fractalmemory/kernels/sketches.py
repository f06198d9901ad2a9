"""Sketches: the signs of a vector's components, d/8 bytes, to find by which few of many vectors may be near.

The share of signs that differ estimates the angle between two vectors (Charikar, "Similarity estimation
techniques from rounding algorithms", 2002). Comparing the signs with the components of the other vector
instead orders better, and takes longer: it is for those that the first comparison leaves. Among 40,000
paragraphs the 50 nearest are 99.7 % among the 512 that both leave.
"""

import numpy as np
from numpy.typing import NDArray

SIGNS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).astype(np.float32) * 2.0 - 1.0
"""What each byte of a sketch says of eight components, as ±1: (256, 8)."""

Sketches = NDArray[np.uint64]
"""Of n vectors of d components, in words: (d/64, n). So, all that is compared at once lies together."""


def sketches_of(vectors: NDArray[np.float32]) -> Sketches:
    """The sketches of `vectors` (n, d); d is a multiple of 64."""
    return as_sketches(np.packbits(vectors > 0.0, axis=1))


def as_sketches(signs: NDArray[np.uint8]) -> Sketches:
    """The sketches whose bits are `signs`, (n, d/8), as PostgreSQL and numpy.packbits order them."""
    return np.ascontiguousarray(np.ascontiguousarray(signs).view(np.uint64).T)


def differing(sketches: Sketches, sketch: Sketches) -> NDArray[np.uint16]:
    """In how many signs each of n `sketches` differs from one `sketch` (d/64, 1): (n,)."""
    counts: NDArray[np.uint16] = np.bitwise_count(sketches ^ sketch).sum(axis=0, dtype=np.uint16)
    return counts


def leaning(sketches: Sketches, vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """The inner product of `vector` (d,) with each of n `sketches`, whose signs are taken as ±1: (n,).
    Sums over eight components are looked up by their signs: a sixth of the memory that the signs themselves
    would take as numbers, and half the time."""
    sums = vector.reshape(-1, 8) @ SIGNS.T
    signs = np.ascontiguousarray(sketches.T).view(np.uint8)
    places = signs + np.arange(0, sums.size, len(SIGNS))
    products: NDArray[np.float32] = sums.ravel().take(places).sum(axis=1)
    return products


def fewest(differences: NDArray[np.uint16], limit: int) -> NDArray[np.intp]:
    """The places of the `limit` smallest of `differences` (n,), and of what equals the largest of them."""
    if limit >= len(differences):
        return np.arange(len(differences))
    within = np.cumsum(np.bincount(differences))
    return np.flatnonzero(differences <= np.searchsorted(within, limit))
