"""soma.brain.kernels.gain"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.brain.kernels.gain import discounted_gain

pytestmark = pytest.mark.req("LEARN-004")


def test_the_gain_is_one_where_the_relevant_come_first() -> None:
    assert discounted_gain(np.array([True, True, False])) == 1.0
    assert discounted_gain(np.array([False, True])) == pytest.approx(1 / np.log2(3))


@given(st.lists(st.booleans(), min_size=1, max_size=30).filter(any), st.integers(0, 28))
def test_moving_a_relevant_one_forward_never_lowers_the_gain(order: list[bool], place: int) -> None:
    moved = order.copy()
    if place + 1 < len(order) and order[place + 1] and not order[place]:
        moved[place], moved[place + 1] = True, False
    assert 0.0 < discounted_gain(np.array(order)) <= discounted_gain(np.array(moved)) <= 1.0
