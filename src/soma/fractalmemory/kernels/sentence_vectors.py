"""Vectors of sentences as bytes: per vector its scale as float32, then one signed byte a component.

Of unit vectors with 384 components a cosine differs by less than .002 from that in single precision, at a
quarter of the size.
"""

import numpy as np
from numpy.typing import NDArray

LEVELS = 127.0
SCALE_BYTES = 4


def pack(vectors: NDArray[np.float32]) -> bytes:
    """`vectors`, shape (m, d), as bytes."""
    scales = np.maximum(np.abs(vectors).max(axis=1, keepdims=True), np.float32(1e-12)) / np.float32(LEVELS)
    levels = np.rint(vectors / scales).astype(np.int8)
    return np.hstack([scales.astype("<f4").view(np.int8), levels]).tobytes()


def largest_cosine(
    packed: bytes, sizes: NDArray[np.int64], vector: NDArray[np.float32]
) -> NDArray[np.float64]:
    """The largest inner product with `vector` (d,) of each of n groups of one vector or more, `packed` one
    after the other in `sizes` (n,) bytes: (n,)."""
    if not len(sizes):
        return np.zeros(0)
    row = SCALE_BYTES + len(vector)
    table = np.frombuffer(packed, np.int8).reshape(-1, row)
    scales = np.ascontiguousarray(table[:, :SCALE_BYTES]).view("<f4")[:, 0]
    cosines = (table[:, SCALE_BYTES:].astype(np.float32) @ vector) * scales
    starts = (np.cumsum(sizes) - sizes) // row
    return np.maximum.reduceat(cosines, starts).astype(np.float64)
