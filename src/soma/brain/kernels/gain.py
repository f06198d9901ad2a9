"""How good an order is, and who has ordered better of late."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

KEPT = 0.97
"""Share of an advantage that stays with each question: half of it is forgotten after 23."""

SHARPNESS = 3.0
"""How fast shares follow advantages: one whole question won is worth a factor e³."""


def discounted_gain(relevant: Flags) -> float:
    """nDCG (Järvelin and Kekäläinen 2002) of memories in an order, (n,), at least one of them relevant: 1
    where the relevant ones come first, in (0, 1]."""
    discounts = 1.0 / np.log2(np.arange(len(relevant)) + 2.0)
    return float((relevant * discounts).sum() / discounts[: int(relevant.sum())].sum())


def next_advantages(advantages: Floats, gains: Floats) -> Floats:
    """The advantage of each expert (e,) over the first, from the `gains` (e,) of this question: a sum that
    forgets; its first value is always 0, the others lie in [−1/(1 − KEPT), 1/(1 − KEPT)]."""
    moved: Floats = KEPT * advantages + (gains - gains[0])
    return moved


def shares(advantages: Floats) -> Floats:
    """How much each expert counts, (e,), summing to 1: exponential weights (Freund and Schapire 1997,
    Hedge)."""
    raised: Floats = np.exp(SHARPNESS * (advantages - advantages.max()))
    counted: Floats = raised / raised.sum()
    return counted
