"""Dead letters as their tenant's operators see them: what was given up, why, and trying it again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connections

from soma.base.canonical import json_bytes
from soma.base.clock import now
from soma.base.database import WORKER, tenant_transaction, worker_transaction
from soma.base.errors import LimitExceeded, NotFound
from soma.events import outbox
from soma.events.dead_letters import ATTRIBUTES
from soma.events.models import DeadLetter, OutboxMessage, ParkedEvent

MAX_LETTERS = 200

CALL_CONSUMERS = "SELECT pg_notify('soma_event_log', '')"


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """An event that `source`, the relay or a consumer, gave up after `attempts`; `error` is the last one."""

    id: UUID
    source: str
    type: str
    key: str
    event_id: UUID
    payload: dict[str, Any]
    attempts: int
    error: str
    occurred_at: datetime
    failed_at: datetime


def dead_letters(tenant_id: UUID, *, source: str = "", limit: int = 50) -> list[Letter]:
    """The tenant's dead letters, of `source` where it is given, the latest first. Opens a transaction of its
    own. Raises LimitExceeded for more than 200."""
    if limit > MAX_LETTERS:
        raise LimitExceeded("limit", maximum=MAX_LETTERS, actual=limit, unit="letters")
    with tenant_transaction(tenant_id):
        rows = DeadLetter.objects.filter(tenant_id=tenant_id).order_by("-failed_at", "-id")
        chosen = rows.filter(source=source) if source else rows
        return [_letter(row) for row in chosen[: max(0, limit)]]


def retry_dead_letter(tenant_id: UUID, letter_id: UUID, *, source: str = "") -> Letter:
    """Have the event delivered again, by whoever gave it up and from its first attempt on; the letter, which
    is no more. The consumer sees it within a second or two, before what the tenant publishes from now on; if
    it is given up again there is a new letter. Opens a transaction of its own.

    Raises NotFound for a letter that the tenant, or `source` where it is given, does not have.
    """
    with worker_transaction():
        rows = DeadLetter.objects.using(WORKER).filter(id=letter_id, tenant_id=tenant_id)
        row = (rows.filter(source=source) if source else rows).first()
        # Of two who ask for the same at once, one finds nothing left to delete.
        if row is None or not rows.delete()[0]:
            raise NotFound("there is no such dead letter")
        _deliver(row)
    return _letter(row)


def _deliver(row: DeadLetter) -> None:
    if row.partition is None or row.position is None:
        _publish(row)
    else:
        _park(row, row.partition, row.position)


def _publish(row: DeadLetter) -> None:
    """It never reached the log: put it where the relay takes events from."""
    values = {name: getattr(row, name) for name in ATTRIBUTES}
    OutboxMessage.objects.using(WORKER).create(**values, payload=json_bytes(row.payload).decode())
    outbox.call_relay()


def _park(row: DeadLetter, partition: str, position: int) -> None:
    """It stands in the log: put it where its consumer takes what it has to try again from."""
    ParkedEvent.objects.using(WORKER).create(
        consumer=row.source,
        partition=partition,
        position=position,
        tenant_id=row.tenant_id,
        next_attempt_at=now(),
    )
    with connections[WORKER].cursor() as cursor:
        cursor.execute(CALL_CONSUMERS)


def _letter(row: DeadLetter) -> Letter:
    return Letter(
        id=row.id,
        source=row.source,
        type=row.type,
        key=row.key,
        event_id=row.event_id,
        payload=row.payload,
        attempts=row.attempts,
        error=row.error,
        occurred_at=row.occurred_at,
        failed_at=row.failed_at,
    )
