"""soma.brain.kernels.adaptation"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.brain.kernels.adaptation import learning_rate, step


@pytest.mark.req("LEARN-003")
@pytest.mark.parametrize(("dopamine", "rate"), [(0.2, 0.035), (0.5, 0.05), (0.7, 0.06), (0.8, 0.06)])
def test_dopamine_scales_the_learning_rate(dopamine: float, rate: float) -> None:
    assert learning_rate(dopamine) == pytest.approx(rate)


@pytest.mark.req("LEARN-001")
@pytest.mark.parametrize(
    ("value", "gain", "error", "after"),
    [(1.0, 1.0, 0.5, 1.025), (1.0, -0.5, 0.5, 0.9875), (1.0, 0.0, 0.5, 1.0), (4.99, 1.0, 1.0, 5.0)],
)
def test_a_weight_moves_by_rate_gain_and_error(value: float, gain: float, error: float, after: float) -> None:
    assert step(value, gain, 0.05, error, 0.1, 5.0) == pytest.approx(after)


@given(st.floats(0.1, 5.0), st.floats(-1, 1), st.floats(0.035, 0.06), st.floats(-1, 1))
@pytest.mark.req("LEARN-001")
def test_a_weight_stays_in_its_bounds(value: float, gain: float, rate: float, error: float) -> None:
    assert 0.1 <= step(value, gain, rate, error, 0.1, 5.0) <= 5.0
