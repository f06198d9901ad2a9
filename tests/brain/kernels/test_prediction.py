"""soma.brain.kernels.prediction"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.brain.kernels.prediction import BASELINE_COUPLING, next_baseline, prediction_error

share = st.floats(0.0, 1.0)
rate = st.floats(0.035, 0.06)


@given(share, share, rate)
@pytest.mark.req("LEARN-001")
def test_the_baseline_moves_towards_the_reward_and_not_past_it(
    reward: float, baseline: float, rate: float
) -> None:
    error = prediction_error(reward, baseline)
    moved = next_baseline(baseline, error, rate)
    low, high = sorted((reward, baseline))
    assert low - 1e-12 <= moved <= high + 1e-12
    assert abs(prediction_error(reward, moved)) <= abs(error)


@given(st.lists(st.tuples(share, rate), max_size=200))
@pytest.mark.req("LEARN-001")
def test_what_weights_follow_sums_up_to_how_far_the_baseline_went(steps: list[tuple[float, float]]) -> None:
    baseline, followed = 0.5, 0.0
    for reward, rate in steps:
        error = prediction_error(reward, baseline)
        baseline = next_baseline(baseline, error, rate)
        followed += rate * error
    assert followed == pytest.approx((baseline - 0.5) / BASELINE_COUPLING, abs=1e-9)
