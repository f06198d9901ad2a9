"""Unitary atoms: the same name gives the same vector everywhere, without any table of vectors."""

from collections.abc import Sequence
from functools import cache
from hashlib import shake_256

import numpy as np
from numpy.typing import NDArray

from soma.brain.kernels.hrr.spectrum import DIMENSION, Spectra, bins

TURN = 1 << 16
"""Phases are multiples of 2π/65536: two bytes of the digest each."""


def atom(role: str, token: str, seed: int, dimension: int = DIMENSION) -> Spectra:
    """The unitary spectrum (D/2 + 1,) that role, token and seed name."""
    only: Spectra = atoms(role, [token], seed, dimension)[0]
    return only


def atoms(role: str, tokens: Sequence[str], seed: int, dimension: int = DIMENSION) -> Spectra:
    """Unitary spectra (n, D/2 + 1), one a token: every bin has modulus 1, DC and Nyquist are ±1.

    The phases are SHAKE-256 of role, token and seed, as numbers of two bytes. The first of them gives the
    signs of DC and Nyquist. Two different names give vectors whose cosine has mean 0 and variance 1/D.
    """
    spectra = np.empty((len(tokens), bins(dimension)), np.complex64)
    for spectrum, token in zip(spectra, tokens, strict=True):
        words = _words(role, token, seed, dimension // 2)
        spectrum[0] = 1 - 2 * int(words[0] & 1)
        spectrum[-1] = 1 - 2 * int(words[0] >> 1 & 1)
        circle().take(words[1:], out=spectrum[1:-1], mode="clip")
    return spectra


@cache
def circle() -> Spectra:
    """e^(2πik/65536) for k = 0 … 65535.

    One octant is computed and the others follow by symmetry, so that the axes are exact. No cosine or sine
    of the octant lies within four units of the last place of float64 of the middle between two float32: any
    mathematical library that is that good gives the same bits.
    """
    angles = np.arange(TURN // 8 + 1) * (2.0 * np.pi / TURN)
    cosines, sines = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)
    real, imaginary = np.concatenate([cosines, sines[-2:0:-1]]), np.concatenate([sines, cosines[-2:0:-1]])
    turned = [(real, imaginary), (-imaginary, real), (-real, -imaginary), (imaginary, -real)]
    whole = np.empty(TURN, np.complex64)
    whole.real = np.concatenate([x for x, _ in turned]) + np.float32(0)  # no negative zeros
    whole.imag = np.concatenate([y for _, y in turned]) + np.float32(0)
    whole.flags.writeable = False
    return whole


def _words(role: str, token: str, seed: int, count: int) -> NDArray[np.uint16]:
    """`count` numbers of two bytes. Lengths keep one name from passing for another."""
    name = f"{len(role)}:{role}|{len(token)}:{token}|{seed}"
    return np.frombuffer(shake_256(name.encode()).digest(2 * count), "<u2")
