"""Whoever wants to hear of events."""

from collections.abc import Callable
from dataclasses import dataclass

from soma.events.event import StoredEvent


@dataclass(frozen=True, kw_only=True, slots=True)
class Consumer:
    """A handler of some event types.

    `name` is what its offset is kept under, for good. `handler` is called once an event, outside any
    transaction, each tenant's events in order; after a crash it may get an event again, so it must be
    idempotent. It raises soma.base.errors.Unavailable while something it needs is down: then it is called
    with the same event until that is back. Any other error counts: after five the event is a dead letter.
    """

    name: str
    types: tuple[str, ...]
    handler: Callable[[StoredEvent], None]
