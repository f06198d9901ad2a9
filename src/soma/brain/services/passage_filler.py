"""The thread that analyses what was stored before texts were, or by somebody who did not."""

import logging
from functools import partial
from threading import Event, Thread
from time import perf_counter
from uuid import UUID

from django.db import InterfaceError, OperationalError, connections

from soma.base.database import drop_broken_connections
from soma.base.errors import Unavailable
from soma.brain.domain.analysis import Analysis
from soma.brain.ports import Embedder
from soma.brain.services.transfer import passages
from soma.fractalmemory.api import FractalMemory

WARM_UP_SECONDS = 2.0
"""A process that answers one question and ends does not begin with this."""
LOOKED_AT = 10_000
"""Memories looked at in one statement, of some milliseconds."""
PAGE = 16
"""Memories analysed at once: a second of one core at most."""
REST = 1.0
"""For each second of work so many of rest: requests come first."""
RETRY_SECONDS = 5.0
TELL_EVERY = 1_000

logger = logging.getLogger(__name__)


class PassageFiller:
    """Looks once, when it starts, through all tenants' memories, and analyses those without a passage. What
    it has done is in the database: whoever is killed at it, the next one goes on from there, and two at once
    only do the same twice."""

    def __init__(
        self, memory: FractalMemory, embedder: Embedder, *, warm_up_seconds: float = WARM_UP_SECONDS
    ) -> None:
        self._memory = memory
        self._analyse = partial(passages, embedder)
        self._warm_up = warm_up_seconds
        self._stopping = Event()
        self._thread: Thread | None = None
        self._analysed = 0

    @property
    def analysis(self) -> Analysis:
        """How far it is."""
        running = self._thread is not None and self._thread.is_alive()
        return Analysis(analysed=self._analysed, running=running)

    def start(self) -> None:
        """Start the thread; it ends by itself when nothing is left."""
        self._stopping.clear()
        self._thread = Thread(target=self._run, name="soma-passages", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it after the page that it is at."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        wait = self._warm_up
        while not self._stopping.wait(wait):
            try:
                self._fill()
            except (Unavailable, OperationalError, InterfaceError) as error:
                logger.warning("memories wait to be analysed: %s", error)
                wait = RETRY_SECONDS
            except Exception:  # the thread's boundary: recorded, and left until the next start
                logger.exception("memories could not be analysed")
                break
            else:
                break
            finally:
                drop_broken_connections()
        connections.close_all()

    def _fill(self) -> None:
        after: UUID | None = UUID(int=0)
        while after is not None and not self._stopping.is_set():
            owed = self._memory.owed(after, LOOKED_AT)
            for tenant_id, namespace in owed.places:
                self._fill_namespace(tenant_id, namespace)
            after = owed.after

    def _fill_namespace(self, tenant_id: UUID, namespace: str) -> None:
        started = perf_counter()
        for filled in self._memory.filling(tenant_id, namespace, self._analyse, page=PAGE):
            before, self._analysed = self._analysed, self._analysed + filled
            if before // TELL_EVERY != self._analysed // TELL_EVERY or before == 0:
                logger.info("analysing memories that were stored without: %d so far", self._analysed)
            if self._stopping.wait((perf_counter() - started) * REST):
                return
            started = perf_counter()
