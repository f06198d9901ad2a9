"""What an action is worth: λ·expected confidence − μ·cost − ν·latency (brain.md, Context bundle)."""

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

SIGNS = np.array([1.0, -1.0, -1.0])


def contributions(estimates: Doubles, weights: Doubles) -> Doubles:
    """What each term adds to the utility of each action, shape (n, 3); a row's sum is its utility.

    `estimates` (n, 3) are expected confidence, cost and latency, shares in [0, 1]; `weights` (3,) are λ, μ
    and ν, ≥ 0.
    """
    added: Doubles = estimates * (SIGNS * weights)
    return added


def chance_of_any(chances: Doubles) -> float:
    """1 − Π(1 − p): that at least one of `chances` (n,), each in [0, 1] and taken as independent, comes true;
    0 for none."""
    return float(1.0 - np.prod(1.0 - chances))
