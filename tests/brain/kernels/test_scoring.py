"""soma.brain.kernels.scoring"""

import numpy as np
import pytest

from soma.brain.kernels.scoring import logistic, recency


@pytest.mark.req("MEM-002")
def test_recency_halves_with_each_half_life() -> None:
    ages = np.array([-5.0, 0.0, 30.0, 60.0])
    assert recency(ages, 30.0).tolist() == [1.0, 1.0, 0.5, 0.25]


@pytest.mark.req("MEM-002")
def test_the_logistic_curve_is_one_half_at_its_midpoint_and_rises() -> None:
    low, middle, high = logistic(np.array([0.2, 0.5, 0.8]), 10.0, 0.5)
    assert low < middle == 0.5 < high
