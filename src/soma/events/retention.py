"""How long events are kept.

An event leaves the log once it is older than the retention and every consumer of this process has handled
it; a dead letter, once it was settled so long ago. Nothing else has to be removed: the outbox loses an event
in the transaction that records it, and a letter that nobody has settled is kept until somebody does. A
content that only events name goes a day after the last of them can have gone.

What leaves are each tenant's oldest events, so what is left counts on without a gap. The audit chain keeps
its links: they say what stood there. What is about to leave is signed before it does, so that a verification
can tell it from what somebody else has cut off.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db import connections

from soma.base.clock import now
from soma.base.database import worker_transaction
from soma.events import dead_letters
from soma.events.audit.signer import AuditSigner
from soma.events.blobs import expire_blobs
from soma.events.consumer_runner import ConsumerRunner
from soma.events.loop import Loop
from soma.events.ports import EventLog

DAYS = 30
BATCH_SIZE = 5000
"""Events removed in a transaction: some tens of milliseconds."""

SWEEP_SECONDS = 3600.0
BLOBS_LONGER = timedelta(days=1)
"""An event is recorded some time after its contents were named."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Swept:
    """What was removed."""

    events: int
    letters: int
    blobs: int = 0


class Retention:
    """Removes what is older than `days` from `log`, on a thread of its own, once `signer` has said so. Any
    number may run at once."""

    def __init__(
        self, log: EventLog, consumers: ConsumerRunner, *, signer: AuditSigner, days: int = DAYS
    ) -> None:
        self._log = log
        self._signer = signer
        self._consumers = consumers
        self._kept = timedelta(days=days)
        self._loop = Loop(
            "soma-retention", self._step, listening=lambda: None, gather=0.0, poll=SWEEP_SECONDS
        )

    def start(self) -> None:
        """Start the thread: it sweeps at once, and then every hour."""
        self._loop.start()

    def stop(self, timeout: float = 10.0) -> None:
        """End the thread after the batch that runs."""
        self._loop.stop(timeout)

    def sweep(self) -> Swept:
        """Remove what is old now. Blocking. Raises EventLogUnavailable."""
        before = now() - self._kept
        handled = self._handled(before)
        self._signer.announce_expiry(self._log.expiring(handled))
        events = self._batches(partial(self._log.expire, handled))
        with worker_transaction():
            letters = dead_letters.expire(before)
        blobs = self._batches(partial(expire_blobs, handled - BLOBS_LONGER))
        return Swept(events=events, letters=letters, blobs=blobs)

    def _step(self, woken: bool) -> bool:
        swept = self.sweep()
        if swept != Swept(events=0, letters=0):
            logger.info(
                "removed %d events, %d settled dead letters and %d contents",
                swept.events,
                swept.letters,
                swept.blobs,
            )
        connections.close_all()  # nobody needs a connection for the next hour
        return False

    def _handled(self, before: datetime) -> datetime:
        """`before`, or the moment of the first event that a consumer has still to handle."""
        waiting = [backlog.oldest for backlog in self._consumers.backlogs()]
        return min([before, *[moment for moment in waiting if moment is not None]])

    def _batches(self, expire: Callable[..., int]) -> int:
        removed = 0
        while not self._loop.stopping and (batch := expire(limit=BATCH_SIZE)):
            removed += batch
        return removed
