"""Frames in superposition: each a bundle of role ⊗ filler, under a key of its own, in one trace.

A filler of several words is the sum of theirs, so that what shares a word is near it. A role's second and
third filler stand under the role shifted around once and twice. Source: T. Plate, Holographic Reduced
Representations, 1995, §V; the trace is `trace.write`, the reading `cancellation.read`.
"""

from collections.abc import Sequence
from math import sqrt

import numpy as np

from soma.brain.kernels.hrr.atoms import atoms
from soma.brain.kernels.hrr.binding import bundle, permute, unbind
from soma.brain.kernels.hrr.cleanup import significance
from soma.brain.kernels.hrr.similarity import cosines
from soma.brain.kernels.hrr.spectrum import DIMENSION, Floats, Spectra, bins, dimension_of, from_time, to_time
from soma.brain.kernels.hrr.trace import write


def filler_vector(words: Sequence[str], seed: int, dimension: int = DIMENSION) -> Spectra:
    """The spectrum (D/2 + 1,) of a filler of n ≥ 1 words, of norm about 1: Σ atoms/√n."""
    spectra = atoms("word", words, seed, dimension)
    return bundle(spectra) * np.float32(1.0 / sqrt(len(words)))


def role_keys(role: str, places: int, seed: int, dimension: int = DIMENSION) -> Spectra:
    """The unitary keys (places, D/2 + 1) of a role's fillers: the role's atom, shifted by each place."""
    [key] = atoms("role", [role], seed, dimension)
    return np.stack([permute(key, place) for place in range(places)])


def superposed(keys: Spectra, values: Spectra, decay: float) -> Spectra:
    """The trace (bins,) of `values` (n, bins) under `keys` (n, bins), written one after the other: the
    first is the faintest. Zero for n = 0."""
    trace = np.zeros(keys.shape[-1], np.complex64)
    for key, value in zip(keys, values, strict=True):
        trace = write(trace, key, value, decay)
    return trace


def cue_significance(trace: Spectra, keys: Spectra, cue: Spectra) -> Floats:
    """z (n,) of how much of `cue` (bins,), a bundle of role ⊗ filler, each frame under `keys` (n, bins)
    holds."""
    return significance(cosines(cue[None], unbind(trace, keys))[:, 0], dimension_of(trace))


def lifted(vectors: Floats, dimension: int = DIMENSION) -> Spectra:
    """Vectors (n, d) of any kind, d ≤ D, as spectra (n, D/2 + 1) with the same inner products: what keys
    spread over all D places leaves of their noise the share d/D in the first d."""
    wide = np.zeros((len(vectors), dimension), np.float32)
    wide[:, : vectors.shape[1]] = vectors
    return from_time(wide).reshape(len(vectors), bins(dimension))


def lowered(spectrum: Spectra, size: int) -> Floats:
    """The first `size` places (size,) of the vector of a spectrum (bins,): the inverse of `lifted`."""
    return to_time(spectrum)[:size]
