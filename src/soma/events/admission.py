"""What every log asks of an event before it takes it."""

import re
from collections.abc import Iterable

from soma.events.errors import EventRefused
from soma.events.event import PendingEvent

PAYLOAD_BYTES = 1024 * 1024
"""Longest payload that a log takes, in bytes of UTF-8 JSON. publish() draws a narrower line."""

NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def admitted(events: Iterable[PendingEvent]) -> list[PendingEvent]:
    """`events`, each event_id once, at its first place. Raises EventRefused for too long a payload."""
    distinct: dict[object, PendingEvent] = {}
    for event in events:
        distinct.setdefault(event.event_id, event)
        _check_length(event)
    return list(distinct.values())


def holds_nul(text: str) -> bool:
    """Whether JSON `text` spells U+0000, which PostgreSQL cannot store."""
    return "\\u0000" in text and NUL.search(text) is not None


def _check_length(event: PendingEvent) -> None:
    # A character has four bytes at most: most payloads need not be encoded to be measured.
    if len(event.payload) * 4 > PAYLOAD_BYTES and (size := len(event.payload.encode())) > PAYLOAD_BYTES:
        raise EventRefused(f"the payload is {size} bytes; a log takes {PAYLOAD_BYTES}")
