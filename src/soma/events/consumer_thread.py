"""One consumer at work."""

import logging
from collections.abc import Sequence
from time import monotonic
from uuid import UUID

from django.db import connections

from soma.base.database import WORKER, worker_transaction
from soma.events import consumer_offsets
from soma.events.consumer import Consumer
from soma.events.event import LogSlice, StoredEvent
from soma.events.exclusive import ExclusiveSession
from soma.events.loop import Loop
from soma.events.models import ParkedEvent
from soma.events.outage import is_outage
from soma.events.parking import Parking
from soma.events.ports import EventLog
from soma.events.retry import RetryPolicy
from soma.events.waker import LOG_CHANNEL

BATCH_SIZE = 100
HEARTBEAT_SECONDS = 10.0
GATHER_SECONDS = 0.02

logger = logging.getLogger(__name__)


class ConsumerThread:
    """Takes a consumer's events from the log, in the one process that has the right to."""

    def __init__(self, consumer: Consumer, log: EventLog, retry: RetryPolicy) -> None:
        self._consumer = consumer
        self._log = log
        self._parking = Parking(consumer.name, retry)
        self._session = ExclusiveSession(f"soma.consumer.{consumer.name}", channel=LOG_CHANNEL)
        self._position = 0
        self._held: set[UUID] = set()
        self._saved_at = 0.0
        self.loop = Loop(
            f"soma-{consumer.name}",
            self._step,
            listening=lambda: self._session.connection,
            gather=GATHER_SECONDS,
        )

    @property
    def active(self) -> bool:
        """Whether this process is the one that handles the consumer's events."""
        return self._session.held

    def caught_up(self) -> bool:
        """Whether every event the consumer wants was handled or is a dead letter. Blocking."""
        position = consumer_offsets.load(self._consumer.name)
        ahead = self._log.following(position, types=self._consumer.types, limit=1)
        return not ahead.events and self._parking.empty()

    def _step(self, woken: bool) -> bool:
        if self._session.connection is None and not self._take_over():
            return False
        retried = self._retry_parked()
        followed = self._follow()
        if monotonic() - self._saved_at >= HEARTBEAT_SECONDS:
            self._save(self._position, [])
        return retried or followed

    def _take_over(self) -> bool:
        if not self._session.acquire():
            return False
        with connections[WORKER].cursor() as cursor:
            # Offsets and parked events that a crash of the server loses are lost together: those events
            # are handled again, which handlers allow for. So nothing here has to wait for the disk.
            cursor.execute("SET synchronous_commit TO off")
        self._position = consumer_offsets.load(self._consumer.name)
        self._held = self._parking.tenants()
        return True

    def _follow(self) -> bool:
        """Handle what is new. Whether there may be more at once."""
        ahead = self._log.following(self._position, types=self._consumer.types, limit=BATCH_SIZE)
        if not ahead.events:
            self._position = ahead.position
            return False
        self._handle(ahead)
        return len(ahead.events) == BATCH_SIZE

    def _handle(self, ahead: LogSlice) -> None:
        reached, parked = self._position, []
        try:
            for event in ahead.events:
                if self.loop.stopping:
                    break
                if row := self._parked_row(event):
                    parked.append(row)
                reached = event.position
            else:
                reached = ahead.position
        finally:
            # An outage ends the batch; what was handled before it is not handled again.
            self._save(reached, parked)

    def _parked_row(self, event: StoredEvent) -> ParkedEvent | None:
        """Handle `event`, unless its tenant has to wait. Where it has to be parked: the row."""
        if event.tenant_id in self._held:
            return self._parking.behind(event)
        reason = self._attempt(event)
        if reason is None:
            return None
        self._held.add(event.tenant_id)
        return self._parking.failed(event, reason)

    def _attempt(self, event: StoredEvent) -> str | None:
        """Why the handler failed; None when it did not. An outage is raised."""
        try:
            self._consumer.handler(event)
        except Exception as error:  # the handler's boundary: recorded with the parked event
            if is_outage(error):
                raise
            logger.warning("%s: %s %s", self._consumer.name, event.type, event.event_id, exc_info=True)
            return f"{type(error).__name__}: {error}"
        return None

    def _retry_parked(self) -> bool:
        """Try each parked event that is due. Whether there was one."""
        due = self._parking.due() if self._held else []
        for parked in due:
            self._retry(parked)
        if due:
            self._held = self._parking.tenants()
        return bool(due)

    def _retry(self, parked: ParkedEvent) -> None:
        found = self._log.following(parked.position - 1, types=self._consumer.types, limit=1).events
        if not found or found[0].position != parked.position:
            # The consumer no longer asks for this type.
            self._parking.release(parked)
            return
        reason = self._attempt(found[0])
        with worker_transaction():
            if reason is None:
                self._parking.release(parked)
            else:
                self._parking.record_failure(parked, found[0], reason)

    def _save(self, position: int, parked: Sequence[ParkedEvent]) -> None:
        with worker_transaction():
            if parked:
                self._parking.save(parked)
            consumer_offsets.save(self._consumer.name, position)
        self._position, self._saved_at = position, monotonic()
