"""The thread that deletes what is past its time."""

import logging
from collections.abc import Callable
from datetime import datetime
from threading import Event, Thread

from django.db import InterfaceError, OperationalError, connections

from soma.base.clock import now
from soma.base.database import drop_broken_connections
from soma.base.errors import Unavailable

REST_SECONDS = 3_600.0
"""Retention is told in days."""

logger = logging.getLogger(__name__)


class RetentionWorker:
    """Applies retention when it starts and every hour; of several processes one at a time is at it."""

    def __init__(self, apply: Callable[[datetime], int | None]) -> None:
        self._apply = apply
        self._stopping = Event()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Start the thread."""
        self._stopping.clear()
        self._thread = Thread(target=self._run, name="soma-retention", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the round that it is at."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._round()
                self._stopping.wait(REST_SECONDS)
        finally:
            connections.close_all()

    def _round(self) -> None:
        try:
            deleted = self._apply(now())
        except (Unavailable, OperationalError, InterfaceError) as error:
            logger.warning("retention waits for the next round: %s", error)
        else:
            if deleted:
                logger.info("%d memories were past their time and are deleted", deleted)
        finally:
            drop_broken_connections()
