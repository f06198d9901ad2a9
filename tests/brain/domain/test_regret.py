"""soma.brain.domain.regret"""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.base.errors import InvalidInput
from soma.brain.domain.regret import Regret, RegretSettings, TurnReward, regret

pytestmark = pytest.mark.req("LEARN-004")

FOUR = RegretSettings(turns=4, margin=0.1)


def turns(*rewards: float, first: int = 1) -> list[TurnReward]:
    """Turns with these rewards, one after the other."""
    return [TurnReward(sequence=first + place, reward=reward) for place, reward in enumerate(rewards)]


def after_each(rewards: list[float], settings: RegretSettings) -> list[int]:
    """After how many turns an agent that goes back whenever there is something to regret does so."""
    since, found = list[TurnReward](), []
    for number, reward in enumerate(rewards, start=1):
        since.append(TurnReward(sequence=number, reward=reward))
        if regret(since, settings) is not None:
            found.append(number)
            since = []
    return found


def test_the_last_turns_worse_by_the_margin_are_regretted() -> None:
    found = regret(turns(*[0.75] * 6, *[0.5] * 4), FOUR)
    assert found == Regret(good=6, then=0.75, now=0.5)


def test_worse_by_less_is_not() -> None:
    assert regret(turns(*[0.8] * 6, *[0.71] * 4), FOUR) is None
    assert regret(turns(*[0.7] * 6, *[0.8] * 4), FOUR) is None


def test_the_good_checkpoint_is_the_one_after_the_best_turns() -> None:
    found = regret(turns(*[0.5] * 4, *[0.9] * 4, *[0.3] * 6), FOUR)
    assert found is not None
    assert found.good == 8
    assert found.then == pytest.approx(0.9)


def test_nothing_is_said_before_there_are_twice_as_many_turns() -> None:
    assert regret(turns(*[1.0] * 3, *[0.0] * 4), FOUR) is None
    assert regret(turns(*[1.0] * 4, *[0.0] * 4), FOUR) is not None


def test_what_was_good_long_ago_is_forgotten() -> None:
    assert regret(turns(*[1.0] * 4, *[0.5] * 20), FOUR) is None
    assert regret(turns(*[1.0] * 4, *[0.5] * 16), FOUR) == Regret(good=4, then=1.0, now=0.5)


def test_nobody_watches_where_it_is_off() -> None:
    assert regret(turns(*[1.0] * 40, *[0.0] * 40), RegretSettings(turns=0)) is None


def test_a_difference_that_chance_may_have_made_is_no_regret() -> None:
    assert regret(turns(*[1.0, 0.6] * 2, *[0.9, 0.3] * 2), FOUR) is None


@pytest.mark.parametrize("spread", [0.1, 0.2])
def test_turns_that_are_as_good_as_ever_are_not_regretted(spread: float) -> None:
    chance = random.Random(5)
    rewards = [min(1.0, max(0.0, chance.gauss(0.6, spread))) for _ in range(1_000)]
    assert after_each(rewards, RegretSettings()) == []


@pytest.mark.parametrize("spread", [0.05, 0.1, 0.2])
def test_a_fall_is_regretted_within_as_many_turns_as_are_compared(spread: float) -> None:
    chance = random.Random(6)
    means = [0.7] * 60 + [0.3] * 60
    found = after_each([min(1.0, max(0.0, chance.gauss(mean, spread))) for mean in means], RegretSettings())
    assert len(found) == 1
    assert 60 < found[0] <= 60 + RegretSettings().turns


@given(
    st.lists(st.floats(0.0, 1.0), max_size=60),
    st.integers(2, 8),
    st.floats(0.01, 1.0),
)
def test_who_goes_back_does_so_to_earlier_turns_that_were_better(
    rewards: list[float], size: int, margin: float
) -> None:
    given_turns = turns(*rewards)
    found = regret(given_turns, RegretSettings(turns=size, margin=margin))
    assert found == regret(given_turns, RegretSettings(turns=size, margin=margin))
    if found is not None:
        assert found.good <= given_turns[-size - 1].sequence
        assert found.then - found.now >= margin


WRONG = [
    *({"turns": turns} for turns in (-1, 1, 201)),
    *({"margin": margin} for margin in (0.0, 1.1, float("nan"))),
]


@pytest.mark.parametrize("wrong", WRONG)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidInput, match="regret watch"):
        RegretSettings(**wrong)  # type: ignore[arg-type]
