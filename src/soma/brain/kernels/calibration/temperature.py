"""Confidence with one knob: p becomes logistic(logit(p)/T). For few outcomes.

Source: C. Guo, G. Pleiss, Y. Sun, K. Weinberger, On Calibration of Modern Neural Networks, ICML 2017.
"""

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

COOLEST, HOTTEST = 0.05, 20.0
HALVINGS = 60
EDGE = 1e-6
"""Probabilities are kept this far from 0 and 1, whose logits are infinite."""


def scaled(probabilities: Doubles, temperature: float) -> Doubles:
    """`probabilities`, any shape, at `temperature` > 0: above 1 nearer to ½, below 1 further off; none
    changes place or side."""
    return _logistic(_logit(probabilities) / temperature)


def fit_temperature(probabilities: Doubles, outcomes: Doubles) -> float:
    """The temperature under which `outcomes` (n,) of 0 and 1 are likeliest, for `probabilities` (n,).

    The log-likelihood is concave in 1/T, so its slope is halved down to the one place where it is 0, within
    [.05, 20]; 1 where nothing tells (no outcomes, or all probabilities ½).
    """
    logits = _logit(probabilities)
    if not np.any(logits):
        return 1.0
    low, high = 1.0 / HOTTEST, 1.0 / COOLEST
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        rising = float(logits @ (outcomes - _logistic(middle * logits))) > 0.0
        low, high = (middle, high) if rising else (low, middle)
    return 2.0 / (low + high)


def _logit(probabilities: Doubles) -> Doubles:
    kept = np.clip(probabilities, EDGE, 1.0 - EDGE)
    logits: Doubles = np.log(kept) - np.log1p(-kept)
    return logits


def _logistic(x: Doubles) -> Doubles:
    """1/(1 + e^−x), without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * x))
