"""Signals of candidates, as arrays over them: n candidates, t terms of the question, sessions from 0."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indexes = NDArray[np.intp]

K1 = 0.9
B = 0.4
"""BM25 for short texts: a term's second occurrence adds little, length matters little (Lucene's settings for
passages, after Trotman et al. 2014)."""


def standard(values: Floats) -> Floats:
    """(values − mean)/deviation, (n,); all 0 where they are all the same: such a signal tells nothing."""
    deviation = values.std() if values.size else 0.0
    return (values - values.mean()) / deviation if deviation > 1e-9 else np.zeros(len(values))


def inverse_frequency(holding: Floats, records: int) -> Floats:
    """How much a term tells, by how many of `records` hold it, (t,): never negative (Lucene's form)."""
    return np.log1p((records - holding + 0.5) / (holding + 0.5))


def bm25(frequencies: Floats, lengths: Floats, mean_length: float, idf: Floats) -> Floats:
    """BM25 (Robertson and Zaragoza, 2009) of each row of `frequencies` (n, t); `lengths` (n,) in terms."""
    norm = K1 * (1.0 - B + B * lengths / max(mean_length, 1.0))
    return (frequencies * (K1 + 1.0) / (frequencies + norm[:, None])) @ idf


def at(positions: Indexes, values: Floats) -> Floats:
    """`values` at `positions`, (n,); 0 where the position is −1."""
    return np.where(positions >= 0, values[positions], 0.0)


def best_of_session(values: Floats, session: Indexes) -> Floats:
    """The largest of `values` in each candidate's session, (n,)."""
    best = np.full(session.max(initial=-1) + 1, -np.inf)
    np.maximum.at(best, session, values)
    return best[session]


def session_terms(frequencies: Floats, session: Indexes, idf: Floats) -> Floats:
    """How much of the question each candidate's session holds, (n,): its terms by their idf, those that
    recur up to nearly twice."""
    held = np.zeros((session.max(initial=-1) + 1, frequencies.shape[1]))
    np.add.at(held, session, frequencies)
    return (held * (K1 + 1.0) / (held + K1))[session] @ idf
