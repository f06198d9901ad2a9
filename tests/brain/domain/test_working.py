"""soma.brain.domain.working"""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.brain.domain.working import Place, WorkingSettings, held, worth

pytestmark = pytest.mark.req("MEM-006")

SETTINGS = WorkingSettings(capacity=4, half_life=2.0)
shares = st.floats(0.0, 1.0)
turns = st.lists(
    st.tuples(st.lists(shares, max_size=3), st.sets(st.integers(0, 30), max_size=3)), max_size=12
)


def place(number: int, salience: float, turn: int) -> Place:
    return Place(id=UUID(int=number), salience=salience, last_use=turn)


def after(story: list[tuple[list[float], set[int]]], settings: WorkingSettings = SETTINGS) -> list[Place]:
    """What is at hand after turns that each bring items of these saliences and use these ids."""
    stay: list[Place] = []
    came = 0
    for turn, (saliences, used) in enumerate(story, start=1):
        newcomers = [place(came + number, salience, turn) for number, salience in enumerate(saliences)]
        came += len(newcomers)
        ids = {UUID(int=number) for number in used}
        stay = held(stay, newcomers, turn=turn, used=ids, settings=settings)
    return stay


def left(each: Place, turn: int) -> float:
    """What is left of a salience after the turns without use."""
    return float(each.salience * 2.0 ** ((each.last_use - turn) / SETTINGS.half_life))


@given(turns, st.integers(0, 6))
def test_it_is_bounded_and_says_the_same_again(
    story: list[tuple[list[float], set[int]]], capacity: int
) -> None:
    settings = replace(SETTINGS, capacity=capacity)
    stay = after(story, settings)
    assert len(stay) <= capacity
    assert len({each.id for each in stay}) == len(stay)
    assert after(story, settings) == stay


@given(turns, shares, shares)
def test_what_is_more_salient_is_admitted_where_less_is(
    story: list[tuple[list[float], set[int]]], one: float, other: float
) -> None:
    less, more = sorted([one, other])
    stay, turn = after(story), len(story) + 1

    def admitted(salience: float) -> bool:
        newcomer = place(1000, salience, turn)
        return newcomer in held(stay, [newcomer], turn=turn, used=(), settings=SETTINGS)

    assert admitted(more) or not admitted(less)


@given(turns, shares)
def test_who_leaves_is_worth_least_of_all(story: list[tuple[list[float], set[int]]], salience: float) -> None:
    before, turn = after(story), len(story) + 1
    newcomer = place(1000, salience, turn)
    stay = held(before, [newcomer], turn=turn, used=(), settings=SETTINGS)
    gone = [each for each in [*before, newcomer] if each not in stay]
    assert len(gone) <= 1
    if gone and gone != [newcomer]:
        assert all(left(gone[0], turn) <= left(each, turn) * (1 + 1e-9) for each in stay)


@given(turns, st.integers(0, 30))
def test_nothing_that_was_used_leaves_before_what_was_not_and_was_worth_less(
    story: list[tuple[list[float], set[int]]], number: int
) -> None:
    before, turn = after(story), len(story) + 1
    used = UUID(int=number)
    newcomers = [place(1000 + each, 1.0, turn) for each in range(2)]
    plain = held(before, newcomers, turn=turn, used=(), settings=SETTINGS)
    favoured = held(before, newcomers, turn=turn, used=[used], settings=SETTINGS)
    assert used in {each.id for each in favoured} or used not in {each.id for each in plain}


def test_what_nobody_uses_gives_way_and_what_is_used_stays() -> None:
    settings = WorkingSettings(capacity=2, half_life=1.0)
    first, second = place(1, 0.6, 1), place(2, 0.6, 1)
    stay = held([first, second], [place(3, 0.6, 4)], turn=4, used=[first.id], settings=settings)
    assert [each.id.int for each in stay] == [1, 3]
    assert stay[0].last_use == 4


def test_a_smaller_capacity_takes_effect_at_once() -> None:
    before = [place(number, 0.3 + number / 10, 1) for number in range(4)]
    stay = held(before, [], turn=2, used=(), settings=WorkingSettings(capacity=2))
    assert [each.id.int for each in stay] == [2, 3]


def test_what_is_known_to_the_letter_is_not_admitted_and_what_is_new_is() -> None:
    known, new = worth(0.0, 0.7), worth(0.1, 0.7)
    stay = held([], [place(1, known, 1), place(2, new, 1)], turn=1, used=(), settings=SETTINGS)
    assert [each.id.int for each in stay] == [2]
