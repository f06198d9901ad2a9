"""soma.brain.kernels.temperature"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from soma.brain.kernels.temperature import ENTROPY, LARGEST, entropy, gradient, next_tau, probabilities

pytestmark = pytest.mark.req("LEARN-004")
LOW, HIGH = 0.4, 1.2


def judged(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    relevant = rng.random(count) < 0.4
    relevant[0], relevant[-1] = True, False
    return rng.normal(size=count), relevant


@given(st.integers(0, 10_000), st.integers(2, 20), st.floats(LOW, HIGH))
def test_the_gradient_is_that_of_the_log_likelihood(seed: int, count: int, tau: float) -> None:
    scores, relevant = judged(seed, count)

    def loss(at: float) -> float:
        return -float(np.log(probabilities(scores, at)[relevant].sum()))

    numeric = (loss(tau + 1e-6) - loss(tau - 1e-6)) / 2e-6
    assert gradient(scores, relevant, tau) == pytest.approx(numeric, abs=1e-5)


@given(st.integers(0, 10_000), st.integers(2, 20), st.floats(LOW, HIGH))
def test_steps_are_small_and_stay_in_the_bounds(seed: int, count: int, tau: float) -> None:
    scores, relevant = judged(seed, count)
    after = next_tau(tau, scores, relevant, LOW, HIGH)
    assert LOW <= after <= HIGH
    assert abs(after - tau) <= LARGEST + 1e-12


def test_right_orders_sharpen_the_choice_and_wrong_ones_blur_it() -> None:
    scores = np.array([2.0, 0.0, -2.0])
    right, wrong = np.array([True, False, False]), np.array([False, False, True])
    assert next_tau(0.7, scores, right, LOW, HIGH) < 0.7 < next_tau(0.7, scores, wrong, LOW, HIGH)


def test_a_choice_that_is_none_is_sharpened_whoever_was_right() -> None:
    scores = np.array([0.1, 0.0, -0.1])
    assert entropy(scores, 1.0) > ENTROPY
    assert next_tau(1.0, scores, np.array([False, False, True]), LOW, HIGH) == pytest.approx(1.0 - LARGEST)


@given(arrays(np.float64, st.integers(1, 100), elements=st.floats(-50, 50)), st.floats(0.4, 1.2))
@pytest.mark.req("MEM-002")
def test_probabilities_sum_to_one_and_keep_the_order(
    scores: np.ndarray[tuple[int], np.dtype[np.float64]], tau: float
) -> None:
    chances = probabilities(scores, tau)
    assert chances.sum() == pytest.approx(1.0)
    assert np.all(np.diff(chances[np.argsort(scores)]) >= 0.0)


def test_a_lower_temperature_prefers_the_best_more() -> None:
    scores = np.array([0.9, 0.5])
    assert probabilities(scores, 0.4)[0] > probabilities(scores, 1.2)[0]
