"""soma.brain.kernels.scoring"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from soma.brain.kernels.scoring import fuse, logistic, recency, selection_probabilities

shares = arrays(np.float64, st.tuples(st.integers(1, 20), st.just(2)), elements=st.floats(0, 1))


@pytest.mark.req("MEM-002")
def test_recency_halves_with_each_half_life() -> None:
    ages = np.array([-5.0, 0.0, 30.0, 60.0])
    assert recency(ages, 30.0).tolist() == [1.0, 1.0, 0.5, 0.25]


@given(shares, st.floats(0.1, 5.0), st.floats(0.0, 1.0))
@pytest.mark.req("MEM-002")
def test_a_fused_score_lies_between_its_features(
    features: np.ndarray[tuple[int, int], np.dtype[np.float64]], first: float, second: float
) -> None:
    fused = fuse(features, np.array([first, second]))
    assert np.all(fused >= features.min(axis=1) - 1e-12)
    assert np.all(fused <= features.max(axis=1) + 1e-12)


@given(arrays(np.float64, st.integers(0, 100), elements=st.floats(-50, 50)), st.floats(0.4, 1.2))
@pytest.mark.req("MEM-002")
def test_selection_probabilities_sum_to_one_and_keep_the_order(
    scores: np.ndarray[tuple[int], np.dtype[np.float64]], tau: float
) -> None:
    chances = selection_probabilities(scores, tau)
    assert chances.sum() == pytest.approx(1.0 if scores.size else 0.0)
    assert np.all(np.diff(chances[np.argsort(scores)]) >= 0.0)


@pytest.mark.req("MEM-002")
def test_a_lower_temperature_prefers_the_best_more() -> None:
    scores = np.array([0.9, 0.5])
    assert selection_probabilities(scores, 0.4)[0] > selection_probabilities(scores, 1.2)[0]


@pytest.mark.req("MEM-002")
def test_the_logistic_curve_is_one_half_at_its_midpoint_and_rises() -> None:
    low, middle, high = logistic(np.array([0.2, 0.5, 0.8]), 10.0, 0.5)
    assert low < middle == 0.5 < high
