"""Being the only one in the database who does a thing."""

import psycopg
from django.db import connections

from soma.base.database import WORKER

TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"


class ExclusiveSession:
    """A session's advisory lock on this thread's worker connection, and the channel it listens to.

    It is lost with the connection, and only so: when the process dies, the server gives it to the next.
    Used by one thread.
    """

    def __init__(self, name: str, *, channel: str) -> None:
        self._name = name
        self._channel = channel
        self._holder: psycopg.Connection | None = None

    @property
    def held(self) -> bool:
        """Whether the lock was ours when last looked at. Any thread may ask."""
        return self._holder is not None and not self._holder.closed

    @property
    def connection(self) -> psycopg.Connection | None:
        """The connection that holds the lock, or None."""
        current = connections[WORKER].connection
        return current if current is not None and current is self._holder else None

    def acquire(self) -> bool:
        """Whether the lock is ours, after trying to get it if it was not."""
        if self.connection is not None:
            return True
        with connections[WORKER].cursor() as cursor:
            cursor.execute(TRY_LOCK, [self._name])
            ours = bool(cursor.fetchone()[0])
            if ours:
                cursor.execute(f"LISTEN {self._channel}")
                self._holder = connections[WORKER].connection
        return ours
