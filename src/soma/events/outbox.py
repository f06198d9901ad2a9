"""The outbox as the relay sees it. All of it runs on the worker connection."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connections
from django.db.models import Count, Max, Min

from soma.base.clock import now
from soma.base.database import WORKER
from soma.events import dead_letters
from soma.events.event import PendingEvent
from soma.events.models import OutboxMessage
from soma.events.retry import RetryPolicy

SOURCE = "relay"

# Ids order the events of one tenant rightly although commits may overtake each other: whoever publishes
# because of an event has seen it committed, so its id is higher, and one snapshot shows both or the cause.
# A tenant with an event that waits for its next attempt is left out as a whole, which keeps its order.
CLAIM = """
SELECT id, event_id, tenant_id, topic, type, version, key, payload, trace_id, occurred_at, attempts
FROM outbox_message
WHERE tenant_id NOT IN (
    SELECT tenant_id FROM outbox_message WHERE attempts > 0 AND next_attempt_at > %s)
ORDER BY id
LIMIT %s
FOR UPDATE SKIP LOCKED
"""

# One statement, one round trip: the consumers hear of it when, and only if, the relay's transaction commits.
DISCARD = """
WITH gone AS (DELETE FROM outbox_message WHERE id = ANY(%s::bigint[]))
SELECT pg_notify('soma_event_log', '')
"""

# By the index from its low end: the table's pages are mostly dead rows, which EXISTS would read one by one.
OLDEST_DUE = """
SELECT id
FROM outbox_message
WHERE tenant_id NOT IN (
    SELECT tenant_id FROM outbox_message WHERE attempts > 0 AND next_attempt_at > %s)
ORDER BY id
LIMIT 1
"""

# A transaction that notifies and does nothing else has nothing to wait for the disk for.
CALL_RELAY = "SELECT set_config('synchronous_commit', 'off', true), pg_notify('soma_outbox', '')"


@dataclass(frozen=True, kw_only=True, slots=True)
class Backlog:
    """What waits in the outbox: how many events, and since when the oldest."""

    waiting: int
    oldest: datetime | None


def claim(limit: int) -> list[PendingEvent]:
    """Lock and return up to `limit` events that are due, oldest first. Inside a worker transaction."""
    with connections[WORKER].cursor() as cursor:
        cursor.execute(CLAIM, [now(), limit])
        return [_pending(row) for row in cursor.fetchall()]


def discard(events: Sequence[PendingEvent]) -> None:
    """Remove `events`, which are in the log. Inside the transaction that claimed them."""
    with connections[WORKER].cursor() as cursor:
        cursor.execute(DISCARD, [[event.outbox_id for event in events]])


def record_failure(event: PendingEvent, reason: str, policy: RetryPolicy) -> None:
    """Note that `event` was refused: due again later, or a dead letter. Inside a worker transaction."""
    failures = event.attempts + 1
    row = OutboxMessage.objects.using(WORKER).filter(id=event.outbox_id)
    if policy.exhausted(failures):
        dead_letters.record(event, source=SOURCE, attempts=failures, error=reason)
        row.delete()
    else:
        due = now() + policy.delay(failures)
        row.update(attempts=failures, next_attempt_at=due, last_error=reason)


def backlog() -> Backlog:
    """What waits at present, of all tenants."""
    totals = OutboxMessage.objects.using(WORKER).aggregate(waiting=Count("id"), oldest=Min("occurred_at"))
    return Backlog(**totals)


def newest() -> int:
    """The highest id that waits; 0 when nothing does."""
    return OutboxMessage.objects.using(WORKER).aggregate(newest=Max("id"))["newest"] or 0


def oldest_due() -> int | None:
    """The lowest id that `claim` would return; None when nothing is due."""
    with connections[WORKER].cursor() as cursor:
        cursor.execute(OLDEST_DUE, [now()])
        row = cursor.fetchone()
    return None if row is None else int(row[0])


def call_relay() -> None:
    """Wake the relay of whichever process has the right to relay."""
    with connections[WORKER].cursor() as cursor:
        cursor.execute(CALL_RELAY)


def _pending(row: tuple[Any, ...]) -> PendingEvent:
    names = PendingEvent.__slots__
    return PendingEvent(**dict(zip(names, row, strict=True)))
