"""soma.brain.kernels.utility"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.brain.kernels.utility import chance_of_any, contributions

pytestmark = pytest.mark.req("CTXB-001")
share = st.floats(0.0, 1.0)
weight = st.floats(0.01, 5.0)
triple = st.tuples(share, share, share)
CONFIDENCE, COST, LATENCY = range(3)


def utility(estimates: tuple[float, ...], weights: tuple[float, ...]) -> float:
    return float(contributions(np.array([estimates]), np.array(weights)).sum())


def test_utility_is_confidence_less_cost_and_latency() -> None:
    added = contributions(np.array([[0.8, 0.5, 0.25]]), np.array([1.0, 0.1, 0.04]))
    assert added.tolist() == [[0.8, -0.05, -0.01]]


@given(triple, st.tuples(weight, weight, weight), share)
@pytest.mark.parametrize(("term", "direction"), [(CONFIDENCE, 1.0), (COST, -1.0), (LATENCY, -1.0)])
def test_utility_rises_with_confidence_and_falls_with_cost_and_latency(
    term: int, direction: float, estimates: tuple[float, ...], weights: tuple[float, ...], more: float
) -> None:
    raised = list(estimates)
    raised[term] = max(raised[term], more)
    assert direction * (utility(tuple(raised), weights) - utility(estimates, weights)) >= -1e-12


@given(triple, st.tuples(weight, weight, weight), st.floats(1.0, 3.0))
@pytest.mark.parametrize("term", [CONFIDENCE, COST, LATENCY])
def test_a_larger_weight_moves_its_own_term_alone(
    term: int, estimates: tuple[float, ...], weights: tuple[float, ...], factor: float
) -> None:
    heavier = np.array(weights)
    heavier[term] *= factor
    before = contributions(np.array([estimates]), np.array(weights))[0]
    after = contributions(np.array([estimates]), heavier)[0]
    moved = np.arange(3) == term
    assert (after[~moved] == before[~moved]).all()
    assert after[term] == pytest.approx(before[term] * factor)


@given(st.lists(share, max_size=8), share)
def test_one_more_chance_never_lowers_the_chance_of_any(chances: list[float], more: float) -> None:
    before, after = chance_of_any(np.array(chances)), chance_of_any(np.array([*chances, more]))
    assert 0.0 <= before <= after + 1e-12
    assert max([*chances, 0.0]) - 1e-12 <= before <= min(1.0, sum(chances)) + 1e-12


def test_nothing_has_no_chance() -> None:
    assert chance_of_any(np.array([])) == 0.0
    assert chance_of_any(np.array([0.5, 0.5])) == 0.75
