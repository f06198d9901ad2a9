"""Consumers' signs of life. All of it runs on the worker connection."""

import os
import socket
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from soma.base.clock import now
from soma.base.database import WORKER
from soma.events.models import ATTRIBUTE_LENGTH, ConsumerHeartbeat

BEAT_SECONDS = 10.0
"""So often a consumer that is at work, or waits for work, says so; at the latest after the event it is at."""

SILENT_AFTER = timedelta(seconds=3 * BEAT_SECONDS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Heartbeat:
    """When a consumer was last heard of, from which process (host:pid), and what kept it from its work;
    empty while all goes well."""

    name: str
    process: str
    beat_at: datetime
    last_error: str

    @property
    def silent(self) -> bool:
        """Whether it should have been heard of since: its process is gone, or it is at one event for long."""
        return now() - self.beat_at > SILENT_AFTER


def beat(name: str, *, last_error: str) -> None:
    """Note that the consumer is alive, in this process."""
    ConsumerHeartbeat.objects.using(WORKER).bulk_create(
        [ConsumerHeartbeat(name=name, process=_process(), beat_at=now(), last_error=last_error)],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["process", "beat_at", "last_error"],
    )


def heartbeats(names: Collection[str]) -> dict[str, Heartbeat]:
    """The latest of each of `names` that was ever heard of."""
    rows = ConsumerHeartbeat.objects.using(WORKER).filter(name__in=names)
    return {
        row.name: Heartbeat(
            name=row.name, process=row.process, beat_at=row.beat_at, last_error=row.last_error
        )
        for row in rows
    }


@cache
def _process() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"[-ATTRIBUTE_LENGTH:]
