"""The verbs of holographic vectors, on half spectra: a pass or two over the bins each."""

from functools import lru_cache

import numpy as np

from soma.brain.kernels.hrr.spectrum import Spectra, bins, dimension_of


def bind(a: Spectra, b: Spectra) -> Spectra:
    """Circular convolution of two vectors: the product of spectra (..., bins), broadcast.

    Commutative and associative up to rounding; keeps the norm where one of the two is unitary.
    """
    return a * b


def unbind(trace: Spectra, key: Spectra) -> Spectra:
    """Circular correlation: the product of `trace` (..., bins) with the conjugate of `key`, broadcast.

    The exact inverse of `bind` for a unitary key. For others see `wiener`.
    """
    return np.conjugate(key) * trace


def bundle(spectra: Spectra) -> Spectra:
    """The sum (..., bins) of spectra (..., n, bins): similar to each, normalised nowhere."""
    total: Spectra = spectra.sum(axis=-2)
    return total


def permute(spectra: Spectra, shift: int) -> Spectra:
    """Vectors shifted around by `shift` places, to the right where positive: bin k turns by −2πk·shift/D.

    permute(permute(x, m), n) = permute(x, m + n); keeps norms and similarities.
    """
    dimension = dimension_of(spectra)
    shifted: Spectra = spectra * _ramp(shift % dimension, dimension)
    return shifted


@lru_cache(maxsize=64)
def _ramp(shift: int, dimension: int) -> Spectra:
    turns = np.arange(bins(dimension)) * shift % dimension
    ramp: Spectra = np.exp(-2j * np.pi / dimension * turns).astype(np.complex64)
    ramp[-1] = 1 - 2 * (shift & 1)
    ramp.flags.writeable = False
    return ramp
