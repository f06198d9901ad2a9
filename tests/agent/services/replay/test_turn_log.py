"""Events are folded by their sequence, once each, and what is missing is named."""

import random
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.agent.services.replay.turn_log import COMPLETED, FAILED, ITERATION, STARTED, TOOL, fold
from soma.base.clock import now
from soma.base.ids import new_id
from soma.events.api import StoredEvent

pytestmark = [pytest.mark.req("REPLAY-003"), pytest.mark.req("REPLAY-002")]

TENANT, MOMENT = new_id(), now()


def event(sequence: int, type_: str, **payload: Any) -> StoredEvent:
    """Later events say that they happened earlier: nothing may go by that."""
    return StoredEvent(
        partition="log",
        position=sequence,
        sequence=sequence,
        event_id=UUID(int=sequence),
        tenant_id=TENANT,
        topic="chat.events",
        type=type_,
        version=1,
        key="turn",
        payload=payload,
        trace_id="",
        occurred_at=MOMENT - timedelta(seconds=sequence),
        recorded_at=MOMENT,
    )


WHOLE = (
    event(3, STARTED),
    event(5, ITERATION, iteration=0, tools_used=["clock", "calculator"]),
    event(6, TOOL, iteration=0, tool="clock"),
    event(7, TOOL, iteration=0, tool="calculator"),
    event(11, ITERATION, iteration=1, tools_used=[]),
    event(12, COMPLETED, iterations=2),
    event(13, "memory.remember_requested", items=[]),
)


@given(seed=st.integers(), again=st.lists(st.integers(0, len(WHOLE) - 1), max_size=9))
def test_neither_order_nor_repetition_of_what_comes_matters(seed: int, again: list[int]) -> None:
    told = [*WHOLE, *(WHOLE[number] for number in again)]
    random.Random(seed).shuffle(told)

    log = fold(told)

    assert tuple(log.events) == WHOLE
    assert log.gaps() == []
    assert [each.payload["iteration"] for each in log.iterations] == [0, 1]
    assert [each["tool"] for each in log.tools(0)] == ["clock", "calculator"]


@given(lost=st.sets(st.integers(0, 5), min_size=1))
def test_whatever_is_lost_shows(lost: set[int]) -> None:
    log = fold(each for number, each in enumerate(WHOLE) if number not in lost)
    assert log.gaps()


@pytest.mark.parametrize(
    ("events", "gap"),
    [
        ([*WHOLE[:5], event(12, COMPLETED, iterations=3)], "2 of 3 iterations"),
        ([*WHOLE, event(20, ITERATION, iteration=1, tools_used=[])], "iteration 2 2 times"),
        (
            [event(1, ITERATION, iteration=0, tools_used=[]), event(2, STARTED), event(3, FAILED)],
            "another order",
        ),
        ([], "no chat.turn_started"),
    ],
)
def test_what_does_not_make_a_turn_is_named(events: list[StoredEvent], gap: str) -> None:
    assert any(gap in each for each in fold(events).gaps())


def test_what_the_log_has_lost_is_told() -> None:
    assert fold(WHOLE, lost="event 7 is gone").gaps() == ["event 7 is gone"]
