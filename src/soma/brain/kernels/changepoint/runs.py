"""How long the present segment of a stream has lasted: Bayesian online change-point detection.

A segment of unit vectors has a mean direction, drawn around the stream's common direction, and a
concentration out of a few; its vectors are von Mises–Fisher around that mean. The mean is integrated out in
closed form: with the sum S of a run's vectors, the next one has the density C(κ)·C(|c + κS|)/C(|c + κ(S +
x)|), which needs inner products only and no covariance, which a few dozen turns could not give. Two things
keep a stream without segments one loose segment, and not one a vector: the concentration is open, and the
sphere has as many dimensions as the stream's own cosines show (`sphere.effective_dimension`), about 40 for
the 384 of a sentence embedding. With all 384 a chance likeness of two sentences counts as a topic.

Cost of a vector: O(m·d) for the m runs that are kept, however long the stream.
Source: R. P. Adams, D. MacKay, Bayesian Online Changepoint Detection, 2007.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soma.brain.kernels.changepoint.sphere import Doubles, concentration, log_normaliser

RESULTANTS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""How long the mean of a segment's vectors may be, loose to tight."""

EXPECTED_LENGTH = 20.0
KEPT = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Expectation:
    """What is known before the stream: the chance of a change at each vector, the effective dimension, the
    common direction times its concentration (`center`, (d,)), and the concentrations (g,) a segment may
    have."""

    hazard: float
    dimension: float
    center: Doubles
    concentrations: Doubles


@dataclass(frozen=True, kw_only=True, slots=True)
class Runs:
    """The segments the last vector may end, m of them: how many vectors each has (m,), their sums (m, d),
    and the logarithm of its probability with each concentration (m, g).

    `log_paths` (m,) is what the single likeliest segmentation up to a run's start is of all segmentations
    up to there. No runs before the first vector.
    """

    lengths: NDArray[np.int64]
    sums: Doubles
    log_shares: Doubles
    log_paths: Doubles


def expectation(mean: Doubles, dimension: float, length: float = EXPECTED_LENGTH) -> Expectation:
    """For segments of about `length` vectors. `mean` (d,) is that of all unit vectors, zero if unknown;
    `dimension` the one they spread over."""
    size = float(np.linalg.norm(mean))
    scale = concentration(min(size, RESULTANTS[-1]), dimension) / size if size > 0 else 0.0
    tightness = np.array([concentration(each, dimension) for each in RESULTANTS])
    return Expectation(
        hazard=1.0 / length, dimension=dimension, center=scale * mean, concentrations=tightness
    )


def no_runs(expected: Expectation) -> Runs:
    """Before the first vector."""
    dimension, grid = len(expected.center), len(expected.concentrations)
    return Runs(
        lengths=np.empty(0, np.int64),
        sums=np.empty((0, dimension)),
        log_shares=np.empty((0, grid)),
        log_paths=np.empty(0),
    )


def observe(runs: Runs, vector: Doubles, expected: Expectation, kept: int = KEPT) -> Runs:
    """The runs after one more unit `vector` (d,): each goes on, or a new one starts with it.

    The `kept` stay in which the likeliest segmentations end; of equals the shorter.
    """
    sums = np.vstack([np.zeros(len(vector)), runs.sums])
    log_shares = np.vstack([_start(runs, expected), runs.log_shares + np.log1p(-expected.hazard)])
    log_shares = log_shares + _log_densities(sums, vector, expected)
    log_paths = np.concatenate([[_log_best(runs).max()] if len(runs.lengths) else [0.0], runs.log_paths])
    lengths = np.concatenate([[0], runs.lengths]) + 1
    chosen = np.sort(np.argsort(-(_marginal(log_shares) + log_paths), kind="stable")[:kept])
    return Runs(
        lengths=lengths[chosen],
        sums=sums[chosen] + vector,
        log_shares=_normalised(log_shares[chosen]),
        log_paths=log_paths[chosen],
    )


def length_probabilities(runs: Runs) -> Doubles:
    """The probability (m,) of each of `runs.lengths`."""
    return np.exp(_marginal(runs.log_shares))


def change_probability(runs: Runs) -> float:
    """That the last vector started a segment."""
    return float(length_probabilities(runs)[runs.lengths == 1].sum())


def likeliest_length(runs: Runs) -> int:
    """Of the last segment in the likeliest segmentation of all vectors so far, at least one; of equals the
    shortest.

    Not the most probable length: where segments do not differ nothing tells where one ends, and 1 is the most
    probable of many lengths that are all improbable.
    """
    return int(runs.lengths[np.argmax(_log_best(runs))])


def _log_best(runs: Runs) -> Doubles:
    """For each run (m,) the likeliest segmentation that ends with it, as a share of all segmentations."""
    return _marginal(runs.log_shares) + runs.log_paths


def _start(runs: Runs, expected: Expectation) -> Doubles:
    """Log-probability (1, g) of a segment that starts now: certain at first, then the hazard's."""
    grid = len(expected.concentrations)
    return np.full((1, grid), (np.log(expected.hazard) if len(runs.lengths) else 0.0) - np.log(grid))


def _log_densities(sums: Doubles, vector: Doubles, expected: Expectation) -> Doubles:
    """Log-densities (m, g) of `vector` after runs with `sums` (m, d), for each concentration."""
    before = _lengths(sums, expected)
    after = _lengths(sums + vector, expected)
    dimension = expected.dimension
    fresh = log_normaliser(expected.concentrations, dimension)
    return fresh + log_normaliser(before, dimension) - log_normaliser(after, dimension)


def _lengths(sums: Doubles, expected: Expectation) -> Doubles:
    """|c + κS|, (m, g)."""
    center, kappa = expected.center, expected.concentrations
    squares = np.einsum("md,md->m", sums, sums)[:, None] * kappa**2
    crossed = 2.0 * (sums @ center)[:, None] * kappa
    lengths: Doubles = np.sqrt(np.maximum(squares + crossed + center @ center, 0.0))
    return lengths


def _marginal(log_shares: Doubles) -> Doubles:
    """The logarithm (m,) of the sum over concentrations."""
    highest = log_shares.max(axis=1, keepdims=True)
    marginal: Doubles = highest[:, 0] + np.log(np.exp(log_shares - highest).sum(axis=1))
    return marginal


def _normalised(log_shares: Doubles) -> Doubles:
    highest = log_shares.max()
    shares: Doubles = log_shares - (highest + np.log(np.exp(log_shares - highest).sum()))
    return shares
