"""Spectra for the tests of holographic vectors: unitary ones by name, others from a seed."""

import numpy as np
from hypothesis import strategies as st

from soma.brain.kernels.hrr.atoms import atoms
from soma.brain.kernels.hrr.spectrum import Floats, Spectra, from_time

DIMENSION = 512
"""Enough for laws; loads and noise are tested at the dimensions that are in use."""

seeds = st.integers(0, 2**32)
shifts = st.integers(-2000, 2000)


def unitary(count: int, seed: int, dimension: int = DIMENSION) -> Spectra:
    """`count` unrelated atoms."""
    return atoms("test", [str(number) for number in range(count)], seed, dimension)


def gaussian(count: int, seed: int, dimension: int = DIMENSION) -> Floats:
    """`count` vectors of about norm 1 in the time domain, unitary by no means."""
    vectors = np.random.default_rng(seed).normal(size=(count, dimension)) / np.sqrt(dimension)
    single: Floats = vectors.astype(np.float32)
    return single


def gaussian_spectra(count: int, seed: int, dimension: int = DIMENSION) -> Spectra:
    """The half spectra of such vectors."""
    return from_time(gaussian(count, seed, dimension))
