"""The von Mises–Fisher density on the unit sphere in d dimensions: C(κ)·e^(κ·μᵀx).

Its normaliser needs the Bessel function I of order ν = d/2 − 1, which overflows in hundreds of dimensions.
The uniform expansion for large orders gives the logarithm of C directly, and stays finite at κ = 0.
Source: NIST Digital Library of Mathematical Functions, 10.41.3; A. Banerjee et al., Clustering on the Unit
Hypersphere using von Mises–Fisher Distributions, JMLR 6, 2005 (the estimate of κ).
"""

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]


def log_normaliser(concentration: Doubles, dimension: float) -> Doubles:
    """log C(κ) for κ ≥ 0, any shape, and d ≥ 4. Off by at most 6·10⁻⁴ for d = 8 and 5·10⁻⁶ for d = 32."""
    order = dimension / 2.0 - 1.0
    root = np.sqrt(1.0 + np.square(concentration / order))
    p = 1.0 / root
    first = p * (3.0 - 5.0 * p**2) / 24.0
    second = p**2 * (81.0 - 462.0 * p**2 + 385.0 * p**4) / 1152.0
    correction = np.log1p(first / order + second / order**2)
    constant = order * np.log(order) + 0.5 * np.log(order) - (order + 0.5) * np.log(2.0 * np.pi)
    normaliser: Doubles = constant + order * (np.log1p(root) - root) + 0.5 * np.log(root) - correction
    return normaliser


def concentration(resultant: float, dimension: float) -> float:
    """The κ at which the mean of unit vectors has the length `resultant` in [0, 1), about."""
    return resultant * (dimension - resultant**2) / (1.0 - resultant**2)


def effective_dimension(vectors: Doubles) -> float:
    """How many independent directions unit `vectors` (n, d) spread over: (tr Σ)²/tr Σ² of their covariance
    Σ, at least 4.

    The cosines of random pairs of them, centred, have the variance of those on a sphere of so many
    dimensions.
    """
    centred = vectors - vectors.mean(axis=0)
    gram = centred @ centred.T if len(vectors) < vectors.shape[1] else centred.T @ centred
    squares = float(np.sum(np.square(gram)))
    return max(4.0, float(np.trace(gram)) ** 2 / squares) if squares > 0 else 4.0
