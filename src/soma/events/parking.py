"""Events a consumer could not handle, kept aside so that other tenants' events need not wait for them.

A tenant's parked events of a partition are taken in order, and its later ones are parked behind them, so
that the consumer sees the tenant's events of a topic in order however long one of them takes. All of it
runs on the worker connection.
"""

from collections.abc import Iterable

from soma.base.clock import now
from soma.base.database import WORKER
from soma.events import dead_letters
from soma.events.event import Lane, StoredEvent
from soma.events.models import ParkedEvent
from soma.events.retry import RetryPolicy


class Parking:
    """The parked events of one consumer."""

    def __init__(self, consumer: str, retry: RetryPolicy) -> None:
        self._consumer = consumer
        self._retry = retry
        self._rows = ParkedEvent.objects.using(WORKER).filter(consumer=consumer)

    def lanes(self) -> set[Lane]:
        """The lanes that have parked events."""
        return set(self._rows.values_list("partition", "tenant_id").distinct())

    def due(self) -> list[ParkedEvent]:
        """Each lane's oldest parked event, where its next attempt is due."""
        heads = self._rows.order_by("partition", "tenant_id", "position").distinct("partition", "tenant_id")
        moment = now()
        return [head for head in heads if head.next_attempt_at <= moment]

    def failed(self, event: StoredEvent, reason: str) -> ParkedEvent:
        """A row, not saved yet, for an event that failed for the first time."""
        return self._row(event, attempts=1, last_error=reason, next_attempt_at=now() + self._retry.delay(1))

    def behind(self, event: StoredEvent) -> ParkedEvent:
        """A row, not saved yet, for an event that waits behind another one of its lane."""
        return self._row(event, attempts=0, next_attempt_at=now())

    def save(self, rows: Iterable[ParkedEvent]) -> None:
        """Park them. An event that is parked already stays as it is."""
        ParkedEvent.objects.using(WORKER).bulk_create(rows, ignore_conflicts=True)

    def release(self, parked: ParkedEvent) -> None:
        """The event was handled."""
        self._rows.filter(id=parked.id).delete()

    def record_failure(self, parked: ParkedEvent, event: StoredEvent, reason: str) -> None:
        """The event failed again: due later, or a dead letter. Inside a worker transaction."""
        failures = parked.attempts + 1
        if self._retry.exhausted(failures):
            dead_letters.record(event, source=self._consumer, attempts=failures, error=reason)
            self.release(parked)
        else:
            due = now() + self._retry.delay(failures)
            row = self._rows.filter(id=parked.id)
            row.update(attempts=failures, next_attempt_at=due, last_error=reason)

    def empty(self) -> bool:
        """Whether nothing is parked."""
        return not self._rows.exists()

    def count(self) -> int:
        """How many events are parked."""
        return self._rows.count()

    def oldest(self) -> ParkedEvent | None:
        """The one that has been parked for longest."""
        return self._rows.order_by("id").first()

    def _row(self, event: StoredEvent, **state: object) -> ParkedEvent:
        return ParkedEvent(
            consumer=self._consumer,
            partition=event.partition,
            position=event.position,
            tenant_id=event.tenant_id,
            **state,
        )
