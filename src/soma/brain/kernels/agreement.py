"""Whether feedback makes sense at all: how it agrees with an order that nobody has learned."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

SENSIBLE = 0.8
SENSELESS = 0.55
DEVIATION = 0.23
"""Agreement of honest feedback on ten to twenty memories with the shipped order, on average over questions,
and its deviation; that of feedback that has nothing to do with the question, where the better of two orders
counts. Measured on conversations."""

LIMIT = 4.0
"""Trust is kept in [−LIMIT, LIMIT], so that it can be lost, and won again, within some questions."""


def agreement(scores: Floats, relevant: Flags) -> float:
    """The share of pairs (relevant, other) that `scores` (n,) order rightly, ties counting half (the area
    under the ROC curve, Hanley and McNeil 1982), in [0, 1]; there is at least one of each kind."""
    margins = scores[relevant][:, None] - scores[~relevant][None, :]
    return float((margins > 0.0).mean() + 0.5 * (margins == 0.0).mean())


def next_trust(trust: float, agreed: float) -> float:
    """Trust after a question whose feedback agreed in so far, in [−LIMIT, LIMIT].

    It is the log-likelihood ratio of sensible to senseless feedback, both taken as normal with DEVIATION
    (Wald 1945, sequential tests): it rises by up to 1.5 and falls by up to 3.2 a question.
    """
    step = (SENSIBLE - SENSELESS) / DEVIATION**2 * (agreed - (SENSIBLE + SENSELESS) / 2.0)
    return min(LIMIT, max(-LIMIT, trust + step))
