"""Evidence credit: what feedback on one question says of the weights of k signals (brain.md, Learning, 5).

The model is pairwise logistic (Burges et al. 2005, RankNet): that r is better than o has the probability
s(w·(r − o)), s the logistic function. Its posterior is kept as a Gaussian, mean w and precision P, and moved
by one Newton step a question (Laplace's approximation; cf. Hazan, Agarwal and Kale 2007, online Newton step).
Unlike a gradient's, the step's length needs no rate: it shrinks as P grows.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

REMEMBERED = 0.998
"""Share of what P holds above its prior that stays with each question: half is forgotten after 350, and P
stays within a constant of its prior."""


def differences(relevant: Floats, other: Floats) -> Floats:
    """Every r − o of `relevant` (p, k) and `other` (q, k), shape (p·q, k)."""
    between: Floats = (relevant[:, None, :] - other[None, :, :]).reshape(-1, relevant.shape[1])
    return between


def newton_step(
    mean: Floats,
    precision: Floats,
    prior: Floats,
    seen: Floats,
    low: Floats,
    high: Floats,
    weight: float = 1.0,
) -> tuple[Floats, Floats]:
    """The mean (k,) and precision (k, k) after the `seen` differences (m, k), m ≥ 1, which count as one
    observation together, however many they are, or as the share `weight` of one. `prior` (k, k) is the
    precision at the start, positive definite; the mean is projected onto [low, high].

    P' = prior + REMEMBERED·(P − prior) + H, w' = clip(w + P'⁻¹g), where g and H are the mean of gradients and
    of curvatures of log s, times `weight`. As |differences| ≤ d, ‖P'‖ ≤ ‖prior‖ + d²/(4·(1 − REMEMBERED)).
    """
    wrong = 1.0 / (1.0 + np.exp(np.clip(seen @ mean, -30.0, 30.0)))
    gradient = weight * (wrong[:, None] * seen).mean(axis=0)
    curvature = weight * ((wrong * (1.0 - wrong))[:, None] * seen).T @ seen / len(seen)
    moved = prior + REMEMBERED * (precision - prior) + (curvature + curvature.T) / 2.0
    return np.clip(mean + np.linalg.solve(moved, gradient), low, high), moved
