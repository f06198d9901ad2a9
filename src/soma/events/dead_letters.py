"""Where events go that could not be delivered: kept whole, with the reason. All of it runs on the worker
connection."""

import logging
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min

from soma.base.canonical import json_value
from soma.base.clock import now
from soma.base.database import WORKER
from soma.base.ids import new_id
from soma.events.event import PendingEvent, StoredEvent
from soma.events.models import DeadLetter, ParkedEvent

logger = logging.getLogger(__name__)

ATTRIBUTES = ("event_id", "tenant_id", "topic", "type", "version", "key", "trace_id", "occurred_at")
PLACE = ("partition", "position", "sequence", "recorded_at")


@dataclass(frozen=True, kw_only=True, slots=True)
class LetterCount:
    """How many events `source` gave up that nobody has had tried again, and since when the oldest."""

    source: str
    letters: int
    oldest: datetime


def record(event: PendingEvent | StoredEvent, *, source: str, attempts: int, error: str) -> None:
    """Keep `event`, which `source` (the relay or a consumer) gave up on. Inside a worker transaction."""
    stored = isinstance(event, StoredEvent)
    DeadLetter.objects.using(WORKER).create(
        id=new_id(),
        source=source,
        attempts=attempts,
        error=error,
        failed_at=now(),
        payload=event.payload if isinstance(event, StoredEvent) else json_value(event.payload),
        **{name: getattr(event, name) for name in (*ATTRIBUTES, *(PLACE if stored else ()))},
    )
    logger.error("%s gave up on %s %s after %d attempts", source, event.type, event.event_id, attempts)


def copy_of(parked: ParkedEvent) -> StoredEvent | None:
    """The event that is parked, from the letter that it was: the log may no longer keep it. None where it
    never was one."""
    letters = DeadLetter.objects.using(WORKER).filter(
        source=parked.consumer,
        tenant_id=parked.tenant_id,
        partition=parked.partition,
        position=parked.position,
        recorded_at__isnull=False,
    )
    letter = letters.order_by("-failed_at").first()
    if letter is None:
        return None
    return StoredEvent(
        payload=letter.payload, **{name: getattr(letter, name) for name in (*ATTRIBUTES, *PLACE)}
    )


def counts() -> list[LetterCount]:
    """What is given up at present, of all tenants, by who gave it up."""
    rows = DeadLetter.objects.using(WORKER).filter(settled_at=None).values("source")
    found = rows.annotate(letters=Count("id"), oldest=Min("failed_at")).order_by("source")
    return [LetterCount(**row) for row in found]


def expire(before: datetime) -> int:
    """Remove the letters that were settled before `before`, and say how many. What nobody has settled stays:
    it is the only copy of something that was not done."""
    return DeadLetter.objects.using(WORKER).filter(settled_at__lt=before).delete()[0]
