"""soma.brain.kernels.gain"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.brain.kernels.gain import HEADSTART, MOST, discounted_gain, next_advantages, shares

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


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)), max_size=60))
def test_advantages_are_over_the_first_and_bounded(gains: list[tuple[float, float, float]]) -> None:
    advantages = np.zeros(3)
    for each in gains:
        advantages = next_advantages(advantages, np.array(each))
        counted = shares(advantages)
        assert advantages[0] == 0.0
        assert np.abs(advantages).max() <= MOST
        assert counted.sum() == pytest.approx(1.0)
        others = counted[1:]
        assert (np.diff(others[np.argsort(advantages[1:])]) >= 0.0).all()


def test_what_has_won_nothing_counts_a_fifth_until_it_has_won_the_head_start() -> None:
    assert shares(np.zeros(3))[1:].sum() == pytest.approx(0.213, abs=1e-3)
    assert shares(np.array([0.0, HEADSTART, -MOST]))[:2] == pytest.approx([0.5, 0.5], abs=1e-3)


def test_an_advantage_is_lost_within_as_many_questions_as_won_it() -> None:
    advantages = np.zeros(2)
    for _ in range(200):
        advantages = next_advantages(advantages, np.array([0.5, 0.6]))
    for _ in range(30):
        advantages = next_advantages(advantages, np.array([0.6, 0.5]))
    assert shares(advantages)[0] > 0.99
