"""Half spectra as one bit for each of their D real numbers: 1 KiB for 8192, compared by counting bits.

For unitary vectors the signs of the spectrum keep more of the cosine than those of the time domain: a
cosine of a uniform phase correlates .90 with its sign, a Gaussian .80.
"""

import numpy as np
from numpy.typing import NDArray

from soma.brain.kernels.hrr.spectrum import Spectra, dimension_of, parts

Words = NDArray[np.uint64]

VECTORS, WORDS = 8192, 8
"""How many vectors and how many of their words are compared at once: what is needed in between stays in the
processor's cache."""


def pack_signs(spectra: Spectra) -> Words:
    """The signs (D/64,) of a spectrum (D/2 + 1,), or (D/64, m) of m of them; D a multiple of 64.

    A set bit is a number ≥ 0. The imaginary parts of DC and Nyquist are zero by nature: the real part of
    Nyquist takes the first one's bit. Vectors lie in columns, so that counts add up in long rows; the bits
    are the same on every machine, the order of bytes in a word is its own.
    """
    dimension = dimension_of(spectra)
    flat = parts(spectra)
    positive = flat[..., :dimension] >= 0.0
    positive[..., 1] = flat[..., dimension] >= 0.0
    packed = np.packbits(positive, axis=-1, bitorder="little").view(np.uint64)
    return np.ascontiguousarray(packed.T)


def distances(signs: Words, query: Words) -> NDArray[np.uint16]:
    """In how many bits each of `signs` (w, m) differs from `query` (w,): (m,), D < 65536."""
    width, count = signs.shape
    differing = np.empty((WORDS, min(count, VECTORS)), np.uint64)
    counts = np.empty((width, min(count, VECTORS)), np.uint8)
    found = np.empty(count, np.uint16)
    for start in range(0, count, VECTORS):
        block = signs[:, start : start + VECTORS]
        counted = counts[:, : block.shape[1]]
        _count(block, query, differing, counted)
        np.add.reduce(counted, axis=0, dtype=np.uint16, out=found[start : start + VECTORS])
    return found


def _count(signs: Words, query: Words, differing: Words, counts: NDArray[np.uint8]) -> None:
    """Write to `counts` (w, m) how many bits of each word of `signs` (w, m) differ, by way of `differing`."""
    width, count = signs.shape
    for start in range(0, width, WORDS):
        rows = slice(start, start + WORDS)
        bits = differing[: min(WORDS, width - start), :count]
        np.bitwise_xor(signs[rows], query[rows, None], out=bits)
        np.bitwise_count(bits, out=counts[rows])


def shortlist(signs: Words, query: Words, count: int) -> NDArray[np.intp]:
    """Indices of the `count` of `signs` (w, m) nearest to `query` (w,), in order; of equals the first."""
    size = signs.shape[1]
    ranks = distances(signs, query).astype(np.int64) * size + np.arange(size)
    if count < size:
        ranks = np.partition(ranks, count)[:count]
    ranks.sort()
    nearest: NDArray[np.intp] = ranks % max(1, size)
    return nearest
