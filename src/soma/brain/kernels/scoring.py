"""Curves that turn ages and cosines into shares."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def recency(ages: Floats, half_life: float) -> Floats:
    """2^(−age/half_life) for each age, any shape, in (0, 1]; both in one unit. An age below 0 counts as 0."""
    return np.exp2(-np.maximum(ages, 0.0) / half_life)


def logistic(x: Floats, slope: float, midpoint: float) -> Floats:
    """1/(1 + e^(−slope·(x − midpoint))), any shape."""
    return 1.0 / (1.0 + np.exp(-slope * (x - midpoint)))
