"""A turn's events, folded in the order of the log."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from soma.events.api import StoredEvent

STARTED = "chat.turn_started"
ITERATION = "chat.iteration_completed"
TOOL = "tool.executed"
COMPLETED = "chat.turn_completed"
FAILED = "chat.turn_failed"
REMEMBER = "memory.remember_requested"
SEQUENCED = (STARTED, ITERATION, COMPLETED, FAILED)


@dataclass(frozen=True, kw_only=True, slots=True)
class TurnLog:
    """`events` are the turn's, each once, by their sequence in the log; `lost` says what of them the log
    should have and has not."""

    events: Sequence[StoredEvent]
    lost: str = ""

    @property
    def started(self) -> StoredEvent | None:
        """That the turn began."""
        return next(self._of(STARTED), None)

    @property
    def ended(self) -> StoredEvent | None:
        """That it completed or failed."""
        return next(self._of(COMPLETED, FAILED), None)

    @property
    def requested(self) -> dict[str, Any] | None:
        """What it asked to remember."""
        found = next(self._of(REMEMBER), None)
        return None if found is None else found.payload

    @property
    def iterations(self) -> list[StoredEvent]:
        """Its iterations, in order."""
        return list(self._of(ITERATION))

    def tools(self, iteration: int) -> list[dict[str, Any]]:
        """What the iteration's tool calls came to, in order."""
        return [each.payload for each in self._of(TOOL) if each.payload["iteration"] == iteration]

    def gaps(self) -> list[str]:
        """What is not in the log that a whole turn has there, and what is not in its place."""
        return list(self._gaps())

    def _gaps(self) -> Iterator[str]:
        if self.lost:
            yield self.lost
        if self.started is None:
            yield f"the log has no {STARTED}"
        numbers = [each.payload["iteration"] for each in self.iterations]
        for number in range(max(numbers, default=-1) + 1):
            if numbers.count(number) != 1:
                yield f"the log has iteration {number + 1} {numbers.count(number)} times"
        yield from self._calls_missing()
        ended = self.ended
        if ended is None:
            yield f"the log has neither {COMPLETED} nor {FAILED}"
        elif ended.type == COMPLETED and ended.payload["iterations"] != len(numbers):
            yield f"the log has {len(numbers)} of {ended.payload['iterations']} iterations"
        if numbers != sorted(numbers) or not self._in_order():
            yield "the log has the turn's events in another order than they happened"

    def _calls_missing(self) -> Iterator[str]:
        for event in self.iterations:
            number, used = event.payload["iteration"], event.payload["tools_used"]
            told = [each["tool"] for each in self.tools(number)]
            if told != used:
                yield f"the log has {len(told)} of {len(used)} tool calls of iteration {number + 1}"

    def _in_order(self) -> bool:
        types = [each.type for each in self.events if each.type in SEQUENCED]
        return types == sorted(types, key=lambda name: (name != STARTED, name != ITERATION))

    def _of(self, *types: str) -> Iterator[StoredEvent]:
        return (each for each in self.events if each.type in types)

    def to_dict(self) -> dict[str, Any]:
        """Where the events are, as a JSON object."""
        sequences = [each.sequence for each in self.events]
        return {
            "events": len(self.events),
            "partitions": sorted({each.partition for each in self.events}),
            "first_sequence": min(sequences, default=None),
            "last_sequence": max(sequences, default=None),
        }


def fold(events: Iterable[StoredEvent], *, lost: str = "") -> TurnLog:
    """The events by their sequence, never by their time; one that comes twice counts once."""
    known = {each.event_id: each for each in sorted(events, key=lambda each: -each.sequence)}
    return TurnLog(events=sorted(known.values(), key=lambda each: each.sequence), lost=lost)
