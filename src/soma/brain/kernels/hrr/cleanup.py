"""Which known vector a noisy one was: a shortlist by signs, then exact cosines, then whether to believe it.

Against M unrelated vectors the largest z = cos·√D is about √(2 ln M). A fixed threshold on the cosine takes
noise for signal in small dimensions and signal for noise under load.
"""

from dataclasses import dataclass
from math import log, sqrt

import numpy as np
from numpy.typing import NDArray

from soma.brain.kernels.hrr.signs import Words, pack_signs, shortlist
from soma.brain.kernels.hrr.similarity import cosines
from soma.brain.kernels.hrr.spectrum import Floats, Spectra, dimension_of

SHORTLIST = 256
"""Of 4096 candidates the shortlist loses .2 % of the answers under 256 superposed pairs, fewer under 128."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """The nearest known vector: its index, its cosine, z = cosine·√D, and whether z clears the noise, which
    nothing that is not nearer to it than chance ever does."""

    index: int
    cosine: float
    z: float
    accepted: bool


def noise_ceiling(candidates: int, false_accepts: float = 1.0) -> float:
    """√(2 ln(M/δ)): what the largest z of M unrelated candidates stays under, but for δ of them at most."""
    return sqrt(2.0 * log(max(1.0, candidates / false_accepts)))


def significance(cosine: Floats, dimension: int) -> Floats:
    """z = cos·√D, any shape: standard deviations from what unrelated vectors have."""
    return cosine * np.float32(sqrt(dimension))


def rerank(query: Spectra, items: Spectra, indices: NDArray[np.intp]) -> tuple[NDArray[np.intp], Floats]:
    """`indices` (k,) of `items` (m, bins) in the order of their exact cosines to `query` (bins,), and the
    cosines (k,). Of equals the first stays first."""
    exact = cosines(items[indices], query)
    order = np.argsort(-exact, kind="stable")
    return indices[order], exact[order]


def cleanup(query: Spectra, items: Spectra, signs: Words, count: int = SHORTLIST) -> Match:
    """The nearest of `items` (m, bins), m ≥ 1, with their packed `signs` (D/64, m), to `query` (bins,)."""
    near, exact = rerank(query, items, shortlist(signs, pack_signs(query), count))
    z = float(exact[0]) * sqrt(dimension_of(query))
    accepted = z >= noise_ceiling(len(items)) and z > 0.0
    return Match(index=int(near[0]), cosine=float(exact[0]), z=z, accepted=accepted)
