"""How good an order is, and who has ordered better of late."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

SHARPNESS = 3.0
"""How fast shares follow advantages: one whole question won is worth a factor e³."""

HEADSTART = 2.0 / 3.0
"""What the others have to win over the first, in questions, before one of them counts as much: a factor e².
Two that have won nothing yet count a fifth together, which learns what they are worth at a fifth of the
risk."""

MOST = 1.5
"""An advantage is kept within ±MOST questions. What won long ago decides no more than what wins now: where
things change it is lost again within as many questions as made it (Page 1954, CUSUM)."""


def discounted_gain(relevant: Flags) -> float:
    """nDCG (Järvelin and Kekäläinen 2002) of memories in an order, (n,), at least one of them relevant: 1
    where the relevant ones come first, in (0, 1]."""
    discounts = 1.0 / np.log2(np.arange(len(relevant)) + 2.0)
    return float((relevant * discounts).sum() / discounts[: int(relevant.sum())].sum())


def next_advantages(advantages: Floats, gains: Floats) -> Floats:
    """The advantage of each expert (e,) over the first, from the `gains` (e,) of this question: a sum within
    ±MOST; its first value is always 0."""
    moved: Floats = np.clip(advantages + (gains - gains[0]), -MOST, MOST)
    return moved


def shares(advantages: Floats) -> Floats:
    """How much each expert counts, (e,), summing to 1: exponential weights (Freund and Schapire 1997,
    Hedge), the first with its HEADSTART."""
    ahead = advantages + HEADSTART * (np.arange(len(advantages)) == 0)
    raised: Floats = np.exp(SHARPNESS * (ahead - ahead.max()))
    counted: Floats = raised / raised.sum()
    return counted
