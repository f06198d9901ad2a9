"""Dead letters as their tenant's operators see them: what was given up, why, and trying it again."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connections
from django.db.models import Q, QuerySet

from soma.base.canonical import json_bytes
from soma.base.clock import now
from soma.base.database import WORKER, tenant_transaction, worker_transaction
from soma.base.errors import Conflict, InvalidInput, LimitExceeded, NotFound
from soma.events import outbox
from soma.events.dead_letters import ATTRIBUTES
from soma.events.models import DeadLetter, OutboxMessage, ParkedEvent

MAX_LETTERS = 200

CALL_CONSUMERS = "SELECT pg_notify('soma_event_log', '')"


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """An event that `source`, the relay or a consumer, gave up after `attempts`; `error` is the last one.

    `sequence` is None where it never reached the log, and where the letter is older than that column.
    `settled_at`: when it was handed back to be tried again; None as long as it is given up.
    """

    id: UUID
    source: str
    topic: str
    type: str
    version: int
    key: str
    event_id: UUID
    sequence: int | None
    trace_id: str
    payload: dict[str, Any]
    attempts: int
    error: str
    occurred_at: datetime
    failed_at: datetime
    settled_at: datetime | None


def dead_letters(
    tenant_id: UUID, *, source: str = "", limit: int = 50, after: UUID | None = None
) -> list[Letter]:
    """The tenant's dead letters, of `source` where it is given, the latest first; of those behind the letter
    `after`, where it is given. Opens a transaction of its own.

    Raises LimitExceeded for more than 200, InvalidInput for an `after` that the tenant does not have.
    """
    if limit > MAX_LETTERS:
        raise LimitExceeded("limit", maximum=MAX_LETTERS, actual=limit, unit="letters")
    with tenant_transaction(tenant_id):
        rows = DeadLetter.objects.filter(tenant_id=tenant_id, settled_at=None)
        rows = rows.order_by("-failed_at", "-id")
        rows = rows.filter(source=source) if source else rows
        if after is not None:
            rows = rows.filter(_behind(tenant_id, after))
        return [_letter(row) for row in rows[: max(0, limit)]]


def dead_letter(tenant_id: UUID, letter_id: UUID) -> Letter:
    """One of the tenant's, also after it was settled. Opens a transaction of its own. Raises NotFound."""
    with tenant_transaction(tenant_id):
        row = DeadLetter.objects.filter(tenant_id=tenant_id, id=letter_id).first()
    if row is None:
        raise NotFound("there is no such dead letter")
    return _letter(row)


def retry_dead_letter(tenant_id: UUID, letter_id: UUID, *, source: str = "") -> Letter:
    """Have the event delivered again, by whoever gave it up and from its first attempt on; the letter, which
    is settled. The consumer sees it within a second or two, before what the tenant publishes from now on; if
    it is given up again there is a new letter. Opens a transaction of its own.

    Raises NotFound for a letter that the tenant, or `source` where it is given, does not have; Conflict for
    one that was settled before.
    """
    with worker_transaction():
        rows = DeadLetter.objects.using(WORKER).filter(id=letter_id, tenant_id=tenant_id)
        row = (rows.filter(source=source) if source else rows).first()
        if row is None:
            raise NotFound("there is no such dead letter")
        _settle(rows, row)
    return _letter(row)


def retry_dead_letters(
    tenant_id: UUID, *, failed_before: datetime, source: str = "", limit: int = MAX_LETTERS
) -> list[Letter]:
    """Have the `limit` oldest letters that were given up before `failed_before` delivered again; those. An
    empty list: nothing is left. Opens a transaction of its own."""
    with worker_transaction():
        rows = DeadLetter.objects.using(WORKER).filter(
            tenant_id=tenant_id, settled_at=None, failed_at__lt=failed_before
        )
        rows = rows.filter(source=source) if source else rows
        # Two who ask at once take different ones.
        chosen = list(rows.order_by("failed_at", "id").select_for_update(skip_locked=True)[:limit])
        for row in chosen:
            _settle(DeadLetter.objects.using(WORKER).filter(id=row.id), row)
    return [_letter(row) for row in chosen]


def _behind(tenant_id: UUID, letter_id: UUID) -> Q:
    """The letters that a list shows after this one."""
    last = DeadLetter.objects.filter(tenant_id=tenant_id, id=letter_id).first()
    if last is None:
        raise InvalidInput("cursor is none that was given", limit="cursor")
    return Q(failed_at__lt=last.failed_at) | Q(failed_at=last.failed_at, id__lt=last.id)


def _settle(rows: "QuerySet[DeadLetter]", row: DeadLetter) -> None:
    row.settled_at = now()
    # Of two who ask for the same at once, one finds nothing left to settle.
    if not rows.filter(settled_at=None).update(settled_at=row.settled_at):
        raise Conflict("this dead letter was tried again before")
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
    """It stands in the log: put it where its consumer takes what it has to try again from. It may stand there
    already, if the server crashed and the consumer came to it a second time."""
    parked = ParkedEvent(
        consumer=row.source,
        partition=partition,
        position=position,
        tenant_id=row.tenant_id,
        next_attempt_at=now(),
    )
    ParkedEvent.objects.using(WORKER).bulk_create([parked], ignore_conflicts=True)
    with connections[WORKER].cursor() as cursor:
        cursor.execute(CALL_CONSUMERS)


def _letter(row: DeadLetter) -> Letter:
    return Letter(**{field.name: getattr(row, field.name) for field in fields(Letter)})
