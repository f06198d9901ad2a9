"""soma.brain.kernels.stake"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.brain.kernels.stake import (
    COST,
    MOST,
    STAKE,
    favour,
    next_balance,
    next_lead,
    share,
    stake,
)

pytestmark = pytest.mark.req("LEARN-004")

gain = st.floats(-1.0, 1.0)


def balances(gains: list[float], start: float = STAKE) -> list[float]:
    found = [start]
    for each in gains:
        found.append(next_balance(found[-1], each))
    return found


@given(st.lists(gain, max_size=200), st.floats(0.0, 1.0))
def test_on_no_sequence_more_is_lost_than_was_staked(gains: list[float], start: float) -> None:
    kept = balances(gains, start)
    won = 0.0
    for balance, each in zip(kept, gains, strict=False):
        won += share(balance) * each
        assert won >= -start - 1e-9
    assert all(0.0 <= balance <= 1.0 for balance in kept)


@given(st.floats(0.0, 1.0), gain, gain)
def test_who_wins_more_has_more(balance: float, one: float, other: float) -> None:
    worse, better = sorted([one, other])
    assert next_balance(balance, worse) <= next_balance(balance, better)


def test_what_wins_a_little_every_time_comes_to_count_alone() -> None:
    kept = balances([0.04] * 60)
    assert share(kept[0]) == STAKE
    assert share(kept[-1]) == 1.0


def test_what_wins_nothing_comes_to_count_nothing() -> None:
    assert balances([0.0] * 500)[-1] < STAKE / 10
    assert balances([COST] * 500)[-1] == pytest.approx(STAKE)


def test_a_full_balance_is_lost_as_fast_as_it_was_won() -> None:
    kept = balances([0.1] * 300)
    assert kept[-1] == 1.0
    assert balances([-0.1] * 30, start=kept[-1])[-1] < STAKE


def test_all_stakes_together_are_less_than_twice_the_first() -> None:
    assert stake(0) == STAKE
    assert sum(stake(times) for times in range(2000)) <= 2.0 * STAKE


@given(st.lists(gain, max_size=100))
def test_a_lead_is_bounded_and_who_leads_is_favoured(gains: list[float]) -> None:
    lead = 0.0
    for each in gains:
        lead = next_lead(lead, each)
    assert -MOST <= lead <= MOST
    assert 0.0 < favour(lead) < 1.0
    assert favour(lead) + favour(-lead) == pytest.approx(1.0)
    assert (favour(lead) > 0.5) == (lead > 1e-9) or abs(lead) <= 1e-9
