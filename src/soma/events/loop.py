"""A thread that takes steps until it is stopped."""

import logging
import threading
from collections.abc import Callable
from time import monotonic

import psycopg
from django.db import DatabaseError, InterfaceError, connections

from soma.base.database import drop_broken_connections
from soma.base.errors import SomaError
from soma.events.waker import Waker

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.2
"""Longest wait for a call: what finds events whose notification went missing."""

LONGEST_PAUSE_SECONDS = 5.0


def pause_after(failures: int) -> float:
    """Seconds to wait after so many failures in a row: doubled with each, .4 to 5. An outage may be long."""
    return min(POLL_SECONDS * 2.0 ** min(failures, 16), LONGEST_PAUSE_SECONDS)


class Loop:
    """Calls `step(woken)` again and again on a thread of its own: at once while it returns True, else when
    woken, notified on `listening()`'s connection, or after `poll` seconds.

    `ending` is called once, on the thread, when it was asked to stop.

    A round starts `gather` seconds after the last one at the earliest, so that a busy time makes few large
    batches, not many small ones.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[bool], bool],
        *,
        listening: Callable[[], psycopg.Connection | None],
        gather: float,
        poll: float = POLL_SECONDS,
        ending: Callable[[], None] = lambda: None,
    ) -> None:
        self._name = name
        self._ending = ending
        self._step = step
        self._listening = listening
        self._gather = gather
        self._poll = poll
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._failures = 0
        self._woken = False
        self._waker: Waker | None = None
        self.last_error = ""

    @property
    def running(self) -> bool:
        """Whether the thread is alive."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop: a long step ends early then."""
        return self._stopping.is_set()

    def start(self) -> Waker:
        """Start the thread, and return what wakes it. A loop starts once."""
        self._waker = waker = Waker()
        self._thread = threading.Thread(target=self._run, args=(waker,), name=self._name, daemon=True)
        self._thread.start()
        return waker

    def wake(self) -> None:
        """End the wait that runs."""
        if self._waker is not None:
            self._waker.wake()

    def ask_to_stop(self) -> None:
        """Let the thread end after the step that runs. Does not wait."""
        self._stopping.set()
        self.wake()

    def stop(self, timeout: float = 10.0) -> None:
        """Finish the step that runs, end the thread, close its connections."""
        self.ask_to_stop()
        if self._thread is not None:
            self._thread.join(timeout)

    def _run(self, waker: Waker) -> None:
        try:
            while not self._stopping.is_set():
                self._guarded(lambda: self._round(waker))
            self._guarded(self._ending)
        finally:
            connections.close_all()
            waker.close()

    def _guarded(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception as error:  # noqa: BLE001 - the thread's boundary: recorded, shown, tried again
            self._fail(error)

    def _round(self, waker: Waker) -> None:
        started = monotonic()
        more = self._step(self._woken)
        self._woken, self._failures, self.last_error = False, 0, ""
        if not more:
            self._woken = waker.wait(self._listening(), self._poll)
            self._stopping.wait(max(0.0, started + self._gather - monotonic()))

    def _fail(self, error: Exception) -> None:
        self._failures += 1
        self.last_error = f"{type(error).__name__}: {error}"
        anticipated = isinstance(error, (SomaError, DatabaseError, InterfaceError, psycopg.Error))
        logger.warning("%s: %s", self._name, self.last_error, exc_info=not anticipated)
        drop_broken_connections()
        self._stopping.wait(pause_after(self._failures))
