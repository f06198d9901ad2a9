"""soma.brain.kernels.calibration.choice"""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.brain.kernels.calibration.choice import Doubles, brier, clearly_lower, held_out

pytestmark = pytest.mark.req("RHO-001")


def by_memory(scores: Doubles, outcomes: Doubles) -> Callable[[Doubles], Doubles]:
    """Knows the outcome of every score that it was fitted on, and says ½ of others."""
    known = dict(zip(scores.tolist(), outcomes.tolist(), strict=True))
    return lambda asked: np.array([known.get(score, 0.5) for score in asked.tolist()])


def test_nothing_is_judged_by_a_fit_that_has_seen_it() -> None:
    scores = np.arange(20.0)
    outcomes = (scores % 2).astype(np.float64)
    folds = np.arange(20) % 5
    assert (held_out(by_memory, scores, outcomes, folds) == 0.5).all()
    twice = held_out(by_memory, np.tile(scores, 2), np.tile(outcomes, 2), np.repeat([0, 1], 20))
    assert (twice == np.tile(outcomes, 2)).all()


def test_one_fold_leaves_nothing_to_fit_on() -> None:
    with pytest.raises(ValueError, match="two folds"):
        held_out(by_memory, np.ones(3), np.ones(3), np.zeros(3, np.intp))


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_the_truth_has_the_lowest_mean_square(truth: float, said: float) -> None:
    outcomes, shares = np.array([0.0, 1.0]), np.array([1.0 - truth, truth])
    honest = brier(np.full(2, truth), outcomes) @ shares
    assert honest <= brier(np.full(2, said), outcomes) @ shares + 1e-12


def test_a_difference_that_may_be_chance_is_not_clear() -> None:
    losses, noise = np.zeros(100), np.random.default_rng(1).normal(size=100)
    assert clearly_lower(losses, noise + 1.0)
    assert not clearly_lower(losses, noise - noise.mean())
    assert not clearly_lower(losses, losses)
    assert not clearly_lower(losses[:1], np.ones(1))
