"""One consumer at work."""

import logging
from collections.abc import Mapping, Sequence
from time import monotonic

from django.db import connections

from soma.base.database import WORKER, worker_transaction
from soma.events import consumer_heartbeats, consumer_offsets, dead_letters
from soma.events.consumer import Consumer
from soma.events.consumer_place import ConsumerPlace
from soma.events.event import Lane, LogSlice, StoredEvent
from soma.events.exclusive import ExclusiveSession
from soma.events.loop import Loop
from soma.events.models import ParkedEvent
from soma.events.outage import is_outage
from soma.events.parking import Parking
from soma.events.ports import EventLog
from soma.events.retry import RetryPolicy
from soma.events.waker import LOG_CHANNEL

BATCH_SIZE = 100
GATHER_SECONDS = 0.02
NEVER = float("-inf")

LOOK_SECONDS = 1.0
"""So often is it looked whether something was parked by others: a dead letter that is to be tried again."""

logger = logging.getLogger(__name__)


class ConsumerThread:
    """Takes a consumer's events from the log, in the one process that has the right to."""

    def __init__(self, consumer: Consumer, log: EventLog, retry: RetryPolicy, *, beat: float) -> None:
        self._beat_seconds = beat
        self._consumer = consumer
        self._log = log
        self._parking = Parking(consumer.name, retry)
        self._session = ExclusiveSession(f"soma.consumer.{consumer.name}", channel=LOG_CHANNEL)
        self._positions: dict[str, int] = {}
        self._held: set[Lane] = set()
        self._looked_at = 0.0
        self._beat_at = NEVER
        self.place = ConsumerPlace(consumer, log, self._parking)
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

    def _ahead_of(self, positions: Mapping[str, int]) -> list[tuple[str, int]]:
        """The partitions that have grown beyond `positions`, and those positions."""
        ends = self._log.partitions(self._consumer.types)
        reached = {partition: positions.get(partition, 0) for partition in ends}
        return [(name, position) for name, position in reached.items() if ends[name] > position]

    def _step(self, woken: bool) -> bool:
        if self._session.connection is None and not self._take_over():
            return False
        self._beat()
        retried = self._retry_parked()
        return self._follow() or retried

    def _beat(self) -> None:
        """Say that the consumer lives, if it is time to; what it passed by since is kept along with it."""
        if self._is_time_to_beat():
            with worker_transaction():
                consumer_heartbeats.beat(self._consumer.name, last_error=self.loop.last_error)
                consumer_offsets.save(self._consumer.name, self._positions)
            self._beat_at = monotonic()

    def _is_time_to_beat(self) -> bool:
        return monotonic() - self._beat_at >= self._beat_seconds

    def _take_over(self) -> bool:
        if not self._session.acquire():
            return False
        with connections[WORKER].cursor() as cursor:
            # Offsets and parked events that a crash of the server loses are lost together: those events
            # are handled again, which handlers allow for. So nothing here has to wait for the disk.
            cursor.execute("SET synchronous_commit TO off")
        self._positions = consumer_offsets.load(self._consumer.name)
        self._held = self._parking.lanes()
        self._beat_at = NEVER
        return True

    def _follow(self) -> bool:
        """Handle what is new, a batch of each partition. Whether there may be more at once."""
        more = False
        for partition, position in self._ahead_of(self._positions):
            if self.loop.stopping:
                break
            more |= self._follow_partition(partition, position)
        return more

    def _follow_partition(self, partition: str, position: int) -> bool:
        ahead = self._log.following(partition, position, types=self._consumer.types, limit=BATCH_SIZE)
        if ahead.events:
            self._handle(partition, ahead)
        else:
            self._positions[partition] = ahead.position
        return len(ahead.events) == BATCH_SIZE

    def _handle(self, partition: str, ahead: LogSlice) -> None:
        reached, parked = self._positions.get(partition, 0), []
        try:
            for event in ahead.events:
                if self.loop.stopping:
                    break
                if row := self._parked_row(event):
                    parked.append(row)
                reached = event.position
                if self._is_time_to_beat():
                    self._save({partition: reached}, parked)
                    parked = []
                    self._beat()
            else:
                reached = ahead.position
        finally:
            # An outage ends the batch; what was handled before it is not handled again.
            self._save({partition: reached}, parked)

    def _parked_row(self, event: StoredEvent) -> ParkedEvent | None:
        """Handle `event`, unless its lane has to wait. Where it has to be parked: the row."""
        if event.lane in self._held:
            return self._parking.behind(event)
        reason = self._attempt(event)
        if reason is None:
            return None
        self._held.add(event.lane)
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
        if monotonic() - self._looked_at >= LOOK_SECONDS:
            self._held = self._parking.lanes()
            self._looked_at = monotonic()
        due = self._parking.due() if self._held else []
        for parked in due:
            self._retry(parked)
            self._beat()
        if due:
            self._held = self._parking.lanes()
        return bool(due)

    def _retry(self, parked: ParkedEvent) -> None:
        event = self._parked_event(parked)
        if event is None:
            logger.warning(
                "%s: passing over %s:%d, which is not asked for any more, or not kept",
                self._consumer.name,
                parked.partition,
                parked.position,
            )
            self._parking.release(parked)
            return
        reason = self._attempt(event)
        with worker_transaction():
            if reason is None:
                self._parking.release(parked)
            else:
                self._parking.record_failure(parked, event, reason)

    def _parked_event(self, parked: ParkedEvent) -> StoredEvent | None:
        """The event itself, from the log or, where that is past it, from the letter it was; None where there
        is neither, or the consumer's types no longer include it."""
        types = self._consumer.types
        ahead = self._log.following(parked.partition, parked.position - 1, types=types, limit=1).events
        if ahead and ahead[0].position == parked.position:
            return ahead[0]
        copy = dead_letters.copy_of(parked)
        return copy if copy is not None and copy.type in types else None

    def _save(self, positions: Mapping[str, int], parked: Sequence[ParkedEvent]) -> None:
        with worker_transaction():
            if parked:
                self._parking.save(parked)
            consumer_offsets.save(self._consumer.name, positions)
        self._positions |= positions
