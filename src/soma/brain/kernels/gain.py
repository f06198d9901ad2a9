"""How good an order is."""

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]


def discounted_gain(relevant: Flags) -> float:
    """nDCG (Järvelin and Kekäläinen 2002) of memories in an order, (n,), at least one of them relevant: 1
    where the relevant ones come first, in (0, 1]."""
    discounts = 1.0 / np.log2(np.arange(len(relevant)) + 2.0)
    return float((relevant * discounts).sum() / discounts[: int(relevant.sum())].sum())
