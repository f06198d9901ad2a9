"""Waking a thread that waits, from this process or from another one."""

import select
import socket
import threading
from contextlib import suppress

import psycopg

OUTBOX_CHANNEL = "soma_outbox"
LOG_CHANNEL = "soma_event_log"


class Waker:
    """Lets one thread wait for three things at once: a call of `wake`, a notification, a time-out."""

    def __init__(self) -> None:
        self._inlet, self._outlet = socket.socketpair()
        self._inlet.setblocking(False)
        self._outlet.setblocking(False)
        self._called = threading.Event()

    def wake(self) -> None:
        """End the wait that runs, or the next one. Any thread may call it, after `close` too."""
        if self._called.is_set():
            return
        self._called.set()
        # Closed, or full of earlier calls: either way there is nobody who has to be told.
        with suppress(OSError):
            self._inlet.send(b"\0")

    def wait(self, connection: psycopg.Connection | None, seconds: float) -> bool:
        """Wait until called, or notified on a channel that `connection` listens to, or `seconds` are over.

        Returns whether it was called. The loss of the connection ends it too; psycopg.OperationalError then
        comes here or from the connection's next use.
        """
        if not _notified(connection):
            # poll, not select, which fails for descriptors from 1024 on.
            poll = select.poll()
            poll.register(self._outlet, select.POLLIN)
            if connection is not None:
                poll.register(connection, select.POLLIN)
            poll.poll(seconds * 1000)
            _notified(connection)
        return self._take_call()

    def close(self) -> None:
        """Give the sockets back. Only the waiting thread may call it."""
        self._inlet.close()
        self._outlet.close()

    def _take_call(self) -> bool:
        with suppress(BlockingIOError):
            self._outlet.recv(64)
        # Cleared after the bytes are taken and before the work starts: a call that comes in between finds
        # its flag set, sends nothing, and is served by the round that starts now.
        called = self._called.is_set()
        self._called.clear()
        return called


class Wakers:
    """The threads of this process that want to know of the same thing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._members: frozenset[Waker] = frozenset()

    def add(self, waker: Waker) -> None:
        """Wake `waker` from now on."""
        with self._lock:
            self._members |= {waker}

    def discard(self, waker: Waker) -> None:
        """Leave `waker` alone from now on."""
        with self._lock:
            self._members -= {waker}

    def wake(self) -> None:
        """Wake them all."""
        for waker in self._members:
            waker.wake()


RELAYS = Wakers()
"""The relays of this process, called after each commit that published something."""


def _notified(connection: psycopg.Connection | None) -> bool:
    """Whether notifications have come. Takes them all."""
    return connection is not None and bool(list(connection.notifies(timeout=0)))
