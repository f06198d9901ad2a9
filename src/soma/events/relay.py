"""The relay: from the outbox into the log, in order, exactly once.

Every process that publishes runs one. The one that holds the lock relays; the others pass the calls of
their own publishers on to it, and take over when it dies.

An event that the log refuses is tried five times with growing pauses and then set aside as a dead letter.
Until then the later events of its tenant wait behind it, so that order holds; those of other tenants pass.
After that they go on without it: the tenant's sequence has no gap, and the dead letter tells what is missing.

A batch is one transaction, which stays open until the log has answered: with Kafka that may take seconds. It
locks the rows it claimed and the tenants' sequences, which nobody but a relay touches: publishers never wait
for it. An idle_in_transaction_session_timeout of soma_worker must leave it that time.
"""

import threading
from dataclasses import dataclass
from time import monotonic
from uuid import UUID

from soma.base.database import worker_transaction
from soma.events import outbox
from soma.events.audit.chain import AuditChain
from soma.events.audit.signer import AuditSigner, PacedSigner
from soma.events.errors import EventRefused
from soma.events.event import PendingEvent
from soma.events.exclusive import ExclusiveSession
from soma.events.loop import POLL_SECONDS, Loop
from soma.events.outbox import Backlog
from soma.events.ports import EventLog
from soma.events.retry import RetryPolicy
from soma.events.waker import OUTBOX_CHANNEL, RELAYS, Waker

BATCH_SIZE = 500

GATHER_SECONDS = 0.05
"""A batch costs about as much as 20 events, so waiting halves the relay's CPU where turns trickle in. An
event waits this long only when another one came just before it."""

STUCK_SECONDS = 3.0


@dataclass(frozen=True, kw_only=True, slots=True)
class RelayStatus:
    """`active`: this one relays, not that of another process. `relayed`: events since the start.
    `last_error` is empty while all goes well."""

    running: bool
    active: bool
    relayed: int
    last_error: str


class Relay:
    """Moves events from the outbox to `log` on a thread of its own, and links them. With a `signer` it also
    signs: at its start what is not signed yet, then after 1000 events or a minute, and when it is stopped."""

    def __init__(
        self,
        log: EventLog,
        *,
        signer: AuditSigner | None = None,
        retry: RetryPolicy | None = None,
        batch_size: int = BATCH_SIZE,
        poll: float = POLL_SECONDS,
    ) -> None:
        self._chain = AuditChain(log)
        self._signing = None if signer is None else PacedSigner(signer)
        self._retry = retry or RetryPolicy()
        self._batch_size = batch_size
        self._limit = batch_size
        self._relayed = 0
        self._session = ExclusiveSession("soma.relay", channel=OUTBOX_CHANNEL)
        self._moved = threading.Condition()
        self._waker: Waker | None = None
        self._loop = Loop(
            "soma-relay",
            self._step,
            listening=lambda: self._session.connection,
            gather=GATHER_SECONDS,
            poll=poll,
            ending=self._end,
        )

    def start(self) -> None:
        """Start the thread."""
        self._waker = self._loop.start()
        RELAYS.add(self._waker)

    def stop(self, timeout: float = 10.0) -> None:
        """Finish the batch that runs and end the thread. What is left in the outbox stays there."""
        if self._waker is not None:
            RELAYS.discard(self._waker)
        self._loop.stop(timeout)

    def drain(self, timeout: float = 10.0, *, patient: bool = True) -> bool:
        """Wait until everything committed before this call is in the log, by this relay or another process's,
        but for what waits for the next attempt of an event that was refused.

        Blocking; returns whether it came to that within `timeout` seconds. Who is not `patient` waits no
        longer once this relay fails, or nothing has left the outbox for three seconds.
        """
        deadline = monotonic() + timeout
        mark, before, moved_at = outbox.newest(), None, monotonic()
        while (due := outbox.oldest_due()) is not None and due <= mark:
            if due != before:
                before, moved_at = due, monotonic()
            stuck = self._loop.last_error or monotonic() - moved_at >= STUCK_SECONDS
            if monotonic() >= deadline or (stuck and not patient):
                return False
            self._loop.wake()
            with self._moved:
                self._moved.wait(0.02)
        return True

    def status(self) -> RelayStatus:
        """How it is doing. Asks nothing of the database."""
        return RelayStatus(
            running=self._loop.running,
            active=self._session.held,
            relayed=self._relayed,
            last_error=self._loop.last_error,
        )

    def backlog(self) -> Backlog:
        """What waits in the outbox. Blocking."""
        return outbox.backlog()

    def _step(self, woken: bool) -> bool:
        if not self._session.acquire():
            if woken:
                outbox.call_relay()
            return False
        more = (woken or outbox.oldest_due() is not None) and self._relay_batch()
        if self._signing is not None:
            self._signing.sign_if_due()
        return more

    def _end(self) -> None:
        """Leave nothing unsigned that this process has relayed."""
        if self._signing is not None and self._session.held:
            self._signing.sign()

    def _relay_batch(self) -> bool:
        """Whether there may be more to do at once."""
        claimed: list[PendingEvent] = []
        tenants: set[UUID] = set()
        try:
            with worker_transaction():
                claimed = outbox.claim(self._limit)
                if claimed:
                    tenants = self._chain.append(claimed)
                    outbox.discard(claimed)
        except EventRefused as refusal:
            self._narrow_down(claimed, refusal)
            return True
        full = len(claimed) == self._limit
        self._limit = min(self._limit * 2, self._batch_size)
        if self._signing is not None:
            self._signing.note(tenants, len(claimed))
        self._tell_moved(len(claimed))
        return full

    def _narrow_down(self, claimed: list[PendingEvent], refusal: EventRefused) -> None:
        """Halve the batch until the refused event stands alone, and put the refusal on its account."""
        if len(claimed) > 1:
            self._limit = len(claimed) // 2
        else:
            with worker_transaction():
                outbox.record_failure(claimed[0], refusal.detail, self._retry)

    def _tell_moved(self, amount: int) -> None:
        self._relayed += amount
        with self._moved:
            self._moved.notify_all()
