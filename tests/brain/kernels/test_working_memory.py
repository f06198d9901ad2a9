"""soma.brain.kernels.working_memory"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soma.brain.kernels.working_memory import admit, priority, salience_now

saliences = st.floats(0.01, 1.0)
arrivals = st.lists(st.tuples(saliences, st.integers(0, 50)), max_size=30)
HALF_LIFE = 10.0


@settings(deadline=None)
@given(saliences, saliences, st.integers(0, 100), st.integers(0, 100), st.integers(100, 1000))
@pytest.mark.req("MEM-006")
def test_priorities_order_as_what_is_left_at_any_time(
    one: float, other: float, then: int, later: int, now: int
) -> None:
    priorities = np.array([priority(one, then, HALF_LIFE), priority(other, later, HALF_LIFE)])
    left = np.array([one * 2 ** ((then - now) / HALF_LIFE), other * 2 ** ((later - now) / HALF_LIFE)])
    np.testing.assert_allclose(salience_now(priorities, now, HALF_LIFE), left, rtol=1e-9)
    if not np.isclose(left[0], left[1], rtol=1e-9):
        assert (priorities[0] < priorities[1]) == (left[0] < left[1])


@settings(deadline=None)
@given(arrivals, st.integers(0, 5))
@pytest.mark.req("MEM-006")
def test_the_buffer_holds_the_most_salient_of_all_that_came(
    arrivals: list[tuple[float, int]], capacity: int
) -> None:
    came, held = [], list[float]()
    for salience, time in sorted(arrivals, key=lambda arrival: arrival[1]):
        newcomer = priority(salience, time, HALF_LIFE)
        came.append(newcomer)
        admission = admit(np.array(held), newcomer, capacity, gate=float("-inf"))
        if admission.evicted is not None:
            assert admission.admitted and len(held) == capacity
            del held[admission.evicted]
        held += [newcomer] if admission.admitted else []
        assert len(held) <= capacity
    assert sorted(held) == sorted(came)[len(came) - len(held) :]
    assert len(held) == min(capacity, len(came))


@pytest.mark.req("MEM-006")
def test_what_does_not_reach_the_gate_stays_out_of_an_empty_buffer() -> None:
    now, gate = 100.0, 0.3
    least = priority(gate, now, HALF_LIFE)
    assert admit(np.empty(0), least, 4, least).admitted
    assert not admit(np.empty(0), priority(0.29, now, HALF_LIFE), 4, least).admitted
    assert not admit(np.empty(0), priority(0.0, now, HALF_LIFE), 4, least).admitted


@pytest.mark.req("MEM-006")
def test_of_equals_the_oldest_leaves_and_an_equal_newcomer_comes_in() -> None:
    admission = admit(np.array([2.0, 1.0, 1.0, 3.0]), 1.0, 4, gate=0.0)
    assert (admission.admitted, admission.evicted) == (True, 1)


@pytest.mark.req("MEM-006")
def test_a_weaker_newcomer_stays_out() -> None:
    admission = admit(np.array([2.0, 3.0]), 1.5, 2, gate=0.0)
    assert (admission.admitted, admission.evicted) == (False, None)


@pytest.mark.req("MEM-006")
def test_half_a_half_life_matters_as_much_as_half_an_octave_of_salience() -> None:
    assert priority(0.5, 0.0, HALF_LIFE) == pytest.approx(priority(1.0, -10.0, HALF_LIFE))
    assert priority(0.0, 5.0, HALF_LIFE) == float("-inf")
