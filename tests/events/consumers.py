"""Consumers for tests, and what becomes of their events."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg

from soma.events.api import (
    Consumer,
    ConsumerRunner,
    EventLog,
    StoredEvent,
)
from soma.events.consumer_heartbeats import BEAT_SECONDS
from soma.events.models import ParkedEvent

Relayed = Callable[..., list[StoredEvent]]
FAILED_TURNS = ("chat.turn_failed",)


class Ledger:
    """A handler that notes what it is given of some tenants, and fails as it is told to."""

    def __init__(self, *tenants: UUID) -> None:
        self._tenants = set(tenants)
        self.details: list[str] = []
        self.errors: dict[str, Exception] = {}

    def __call__(self, event: StoredEvent) -> None:
        if event.tenant_id not in self._tenants:
            return
        detail = event.payload["detail"]
        if detail in self.errors:
            raise self.errors[detail]
        self.details.append(detail)


@contextmanager
def running(log: EventLog, *consumers: Consumer, beat: float = BEAT_SECONDS) -> Iterator[ConsumerRunner]:
    """The consumers at work."""
    runner = ConsumerRunner(log, consumers, beat=beat)
    runner.start()
    try:
        yield runner
    finally:
        runner.stop()


def listening(name: str, handler: Callable[[StoredEvent], None]) -> Consumer:
    return Consumer(name=name, types=FAILED_TURNS, handler=handler)


def parked(name: str) -> list[ParkedEvent]:
    return list(ParkedEvent.objects.using("worker").filter(consumer=name).order_by("position"))


def attempts_are(name: str, expected: list[int]) -> bool:
    return [row.attempts for row in parked(name)] == expected


def make_due(superuser: psycopg.Connection, name: str) -> None:
    """Spare the test the pause before the next attempt."""
    superuser.execute("UPDATE parked_event SET next_attempt_at = now() WHERE consumer = %s", [name])
