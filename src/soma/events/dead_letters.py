"""Where events go that could not be delivered: kept whole, with the reason."""

import logging

from soma.base.canonical import json_value
from soma.base.clock import now
from soma.base.database import WORKER
from soma.base.ids import new_id
from soma.events.event import PendingEvent, StoredEvent
from soma.events.models import DeadLetter

logger = logging.getLogger(__name__)

ATTRIBUTES = ("event_id", "tenant_id", "topic", "type", "version", "key", "trace_id", "occurred_at")


def record(event: PendingEvent | StoredEvent, *, source: str, attempts: int, error: str) -> None:
    """Keep `event`, which `source` (the relay or a consumer) gave up on. Inside a worker transaction."""
    DeadLetter.objects.using(WORKER).create(
        id=new_id(),
        source=source,
        attempts=attempts,
        error=error,
        failed_at=now(),
        partition=event.partition if isinstance(event, StoredEvent) else None,
        position=event.position if isinstance(event, StoredEvent) else None,
        payload=event.payload if isinstance(event, StoredEvent) else json_value(event.payload),
        **{name: getattr(event, name) for name in ATTRIBUTES},
    )
    logger.error("%s gave up on %s %s after %d attempts", source, event.type, event.event_id, attempts)
