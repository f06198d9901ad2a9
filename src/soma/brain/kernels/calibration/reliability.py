"""How far stated confidence is from what happens.

Source: M. Naeini, G. Cooper, M. Hauskrecht, Obtaining Well Calibrated Probabilities Using Bayesian Binning,
AAAI 2015.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

BINS = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Reliability:
    """By bin of confidence: how many, their mean confidence and how often they were right (0 where empty)."""

    counts: NDArray[np.int64]
    confidence: Doubles
    accuracy: Doubles


def reliability(confidences: Doubles, outcomes: Doubles, bins: int = BINS) -> Reliability:
    """`confidences` (n,) in [0, 1] against `outcomes` (n,) of 0 and 1, in `bins` of equal width."""
    places = np.minimum((confidences * bins).astype(np.intp), bins - 1)
    counts = np.bincount(places, minlength=bins)
    filled = np.maximum(counts, 1)
    return Reliability(
        counts=counts,
        confidence=np.bincount(places, confidences, bins) / filled,
        accuracy=np.bincount(places, outcomes, bins) / filled,
    )


def expected_calibration_error(confidences: Doubles, outcomes: Doubles, bins: int = BINS) -> float:
    """How far a bin's confidence is from its accuracy, on average over all confidences: in [0, 1]."""
    if len(confidences) == 0:
        return 0.0
    found = reliability(confidences, outcomes, bins)
    return float(np.abs(found.confidence - found.accuracy) @ found.counts / len(confidences))
