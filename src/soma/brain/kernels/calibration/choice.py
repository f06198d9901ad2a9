"""Out of sample: what a way of fitting says of outcomes that it has not seen."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Fit = Callable[[Doubles, Doubles], Callable[[Doubles], Doubles]]
"""From scores (n,) and outcomes (n,) to what turns scores into confidences."""


def held_out(fit: Fit, scores: Doubles, outcomes: Doubles, folds: NDArray[np.intp]) -> Doubles:
    """The confidence (n,) of each of `scores` (n,) by what `fit` makes of all other folds; `folds` (n,)
    numbers them. Raises ValueError for fewer than two."""
    numbers = np.unique(folds)
    if len(numbers) < 2:
        raise ValueError("holding out takes two folds at least")
    confidences = np.empty(len(scores))
    for number in numbers:
        held = folds == number
        confidences[held] = fit(scores[~held], outcomes[~held])(scores[held])
    return confidences


def brier(confidences: Doubles, outcomes: Doubles) -> Doubles:
    """The square of confidence − outcome, (n,), in [0, 1]; lower is better, and on average only the true
    probabilities reach the lowest (G. Brier, Monthly Weather Review, 1950)."""
    return np.square(confidences - outcomes)


def clearly_lower(losses: Doubles, others: Doubles) -> bool:
    """Whether `losses` (n,) are lower than `others` (n,) on average, by more than the standard error of their
    differences: less than that is as likely chance."""
    gained = others - losses
    return len(gained) > 1 and bool(gained.mean() > gained.std(ddof=1) / np.sqrt(len(gained)))
