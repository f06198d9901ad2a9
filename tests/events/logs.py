"""Writing to a log and reading it, for the contract that every log keeps."""

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

import pytest
from hypothesis import strategies as st

from soma.base.database import worker_transaction
from soma.events.api import Event, EventLog, StoredEvent
from soma.events.event import PendingEvent
from tests.events.samples import PAYLOADS, pending

TURNS, TOOLS = "chat.turn_failed", "tool.executed"
TYPES = (TURNS, TOOLS)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=200)
TEXTS = [
    "Grüße, 世界, שלום, 🧠👩‍🔬",
    "quotes ' \" and \\ and \\u0000 and \\\\u0000 as text",
    "%s %(name)s {} $1 ; -- /* \n\r\t\x01\x7f\u2028\ufeff\uffff\U0010ffff",
    "",
]
LARGEST_POSITION = 2**62


class Undone(Exception):
    """Thrown to roll back."""


def executed(tenant_id: UUID, call: str, *, key: str = "turn-1") -> Event:
    """An event of another topic than failed_turn's."""
    payload = {**PAYLOADS[TOOLS], "call_id": call}
    return Event(tenant_id=tenant_id, type=TOOLS, key=key, payload=payload)


def append(log: EventLog, events: Sequence[PendingEvent], *, undone: bool = False) -> None:
    """As the relay does."""
    with worker_transaction():
        log.append(events)
        if undone:
            raise Undone


def record(log: EventLog, *events: Event) -> None:
    """Append and commit."""
    append(log, [pending(event) for event in events])


def roll_back(log: EventLog, *events: Event) -> None:
    """Append, and take it back."""
    with pytest.raises(Undone):
        append(log, [pending(event) for event in events], undone=True)


def details(events: Sequence[StoredEvent]) -> list[str]:
    """What tells failed turns apart."""
    return [event.payload["detail"] for event in events]


def followed(log: EventLog, *tenants: UUID) -> list[StoredEvent]:
    """Every failed turn of `tenants`, as a new consumer comes to it, partition by partition."""
    return [event for event in walk(log, [TURNS], 100, since={}) if event.tenant_id in tenants]


def walk(
    log: EventLog, types: Sequence[str], limit: int, *, since: Mapping[str, int]
) -> Iterator[StoredEvent]:
    """All partitions of `types` from the positions `since`, `limit` events at a time."""
    for partition, last in log.partitions(types).items():
        position = since.get(partition, 0)
        while position < last:
            ahead = log.following(partition, position, types=types, limit=limit)
            assert all(position < event.position <= ahead.position for event in ahead.events)
            assert all(event.partition == partition for event in ahead.events)
            yield from ahead.events
            position = ahead.position
