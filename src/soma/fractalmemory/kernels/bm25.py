"""BM25 over postings (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from soma.fractalmemory.kernels.posting_block import Columns, Numbers

Floats = NDArray[np.float64]


def idf(records: int, holding: Floats) -> Floats:
    """Inverse document frequency of terms that `holding` (t,) of `records` hold, as Lucene takes it:
    ln(1 + (N − n + ½)/(n + ½)), which is positive."""
    return np.log1p((records - holding + 0.5) / (holding + 0.5))


def scores(
    terms: Sequence[Columns], *, records: int, mean_length: float, k1: float, b: float
) -> tuple[Numbers, Floats]:
    """The records that hold any of `terms`, given by their postings: numbers, rising, and scores, (p,)."""
    terms = [term for term in terms if len(term[0])]
    if not terms:
        return np.zeros(0, np.int64), np.zeros(0)
    weights = idf(records, np.array([len(numbers) for numbers, _, _ in terms], np.float64))
    base = min(int(numbers[0]) for numbers, _, _ in terms)
    sums = np.zeros(max(int(numbers[-1]) for numbers, _, _ in terms) - base + 1)
    for (numbers, frequencies, lengths), weight in zip(terms, weights, strict=True):
        norm = k1 * (1.0 - b + b * lengths / max(mean_length, 1.0))
        sums[numbers - base] += weight * frequencies * (k1 + 1.0) / (frequencies + norm)
    held = np.flatnonzero(sums > 0.0)  # five times as fast as of the sums themselves
    return held + base, sums[held]


def best(numbers: Numbers, values: Floats, limit: int) -> Numbers:
    """Those `limit` of `numbers` with the largest `values`, best first; of equals the lower number."""
    if 0 < limit < len(values):
        least = np.partition(values, len(values) - limit)[len(values) - limit]
        kept = np.flatnonzero(values >= least)
        numbers, values = numbers[kept], values[kept]
    return numbers[np.lexsort((numbers, -values))][:limit]
