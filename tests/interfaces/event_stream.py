"""Reading server-sent events as a client does."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Received:
    """One event. `id` is None where the event brought none."""

    id: int | None
    event: str
    data: dict[str, Any]


def received(lines: Iterable[str]) -> Iterator[Received]:
    """The events that `lines` of a stream spell. Anything else than id, event and data is an error."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            assert name in {"id", "event", "data"}, line
            assert name not in fields, line
            fields[name] = value
        elif fields:
            number = int(fields["id"]) if "id" in fields else None
            yield Received(id=number, event=fields["event"], data=json.loads(fields["data"]))
            fields = {}


def text_of(events: Iterable[Received]) -> str:
    """What the deltas spell."""
    return "".join(event.data["text"] for event in events if event.event == "answer.delta")
