"""Holographic vectors live as half spectra; the time domain is visited at the edges only.

A real vector x of D elements (D even) is held as X = rfft(x): D/2 + 1 bins of complex64, of which the first
(DC) and the last (Nyquist) are real. By Parseval ⟨x, y⟩ = (X₀Y₀ + X_N Y_N + 2·Re Σ XᵢȲᵢ)/D, so that a
vector whose bins all have modulus 1 has norm 1. Source: T. Plate, Holographic Reduced Representations, 1995
and 2003.
"""

import numpy as np
from numpy.typing import NDArray

Spectra = NDArray[np.complex64]
Floats = NDArray[np.float32]

DIMENSION = 8192


def bins(dimension: int) -> int:
    """How many bins hold a vector of `dimension` elements."""
    return dimension // 2 + 1


def dimension_of(spectra: Spectra) -> int:
    """The D of spectra (..., D/2 + 1)."""
    return 2 * (int(spectra.shape[-1]) - 1)


def from_time(vectors: Floats) -> Spectra:
    """The spectra (..., D/2 + 1) of vectors (..., D)."""
    return np.fft.rfft(vectors).astype(np.complex64)


def to_time(spectra: Spectra) -> Floats:
    """The vectors (..., D) of spectra (..., D/2 + 1)."""
    return np.fft.irfft(spectra, dimension_of(spectra)).astype(np.float32)


def parts(spectra: Spectra) -> Floats:
    """Real and imaginary parts in turn: (..., n) complex as (..., 2n) real, without a copy where rows lie
    whole."""
    return np.ascontiguousarray(spectra).view(np.float32)
