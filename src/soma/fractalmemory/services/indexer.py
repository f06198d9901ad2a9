"""The thread that indexes what was stored."""

import logging
from collections.abc import Callable
from threading import Condition, Thread
from time import monotonic
from uuid import UUID

from django.db import InterfaceError, OperationalError, connections

from soma.base.database import drop_broken_connections
from soma.base.errors import Unavailable
from soma.fractalmemory.ports import VectorStore
from soma.fractalmemory.services.index_records import index_page

REST_SECONDS = 0.5
"""A namespace is indexed when so long nothing was stored in it: many are then indexed at once."""

MAX_WAIT_SECONDS = 10.0
"""One that is written without a pause is indexed all the same."""

RETRY_SECONDS = 2.0
LOOK_SECONDS = 60.0
"""How often a search is taken as a reason to look whether anything was left over."""

LOOKS_KEPT = 10_000

Place = tuple[UUID, str]
Follower = Callable[[UUID, str], None]

logger = logging.getLogger(__name__)


class Indexer:
    """Indexes the namespaces that it is told of. What it was not told of, a search tells it: so what a
    process that was killed has left over is indexed by the next one that uses it."""

    def __init__(self, store: VectorStore) -> None:
        self._store = store
        self._wake = Condition()
        self._due: dict[Place, tuple[float, float]] = {}
        self._looked: dict[Place, float] = {}
        self._thread: Thread | None = None
        self._stopping = False
        self._reported = False
        self._followers: list[Follower] = []

    def follow(self, follower: Follower) -> None:
        """Call `follower` after a namespace was indexed, in the thread."""
        self._followers.append(follower)

    def start(self) -> None:
        """Start the thread."""
        self._stopping = False
        self._thread = Thread(target=self._run, name="soma-indexer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the page that it is at."""
        if self._thread is None:
            return
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join()
        self._thread = None

    def written(self, tenant_id: UUID, namespace: str) -> None:
        """Something of the namespace was stored or deleted."""
        place, moment = (tenant_id, namespace), monotonic()
        with self._wake:
            if self._thread is None:
                return
            known = self._due.get(place)
            latest = moment + MAX_WAIT_SECONDS if known is None else known[1]
            self._due[place] = min(moment + REST_SECONDS, latest), latest
            if known is None:  # the thread waits for what is due first, and this has only become due later
                self._wake.notify()

    def searched(self, tenant_id: UUID, namespace: str) -> None:
        """The namespace is in use."""
        place, moment = (tenant_id, namespace), monotonic()
        if self._looked.get(place, 0.0) > moment:
            return
        if len(self._looked) >= LOOKS_KEPT:
            self._looked.clear()
        self._looked[place] = moment + LOOK_SECONDS
        self.written(tenant_id, namespace)

    def _run(self) -> None:
        while (place := self._next()) is not None:
            try:
                self._index(place)
            except (Unavailable, OperationalError, InterfaceError) as error:
                self._put_off(place, error)
            except Exception:  # the thread's boundary: recorded, and left until the namespace is used again
                logger.exception("memories of a namespace could not be indexed")
            finally:
                drop_broken_connections()
        connections.close_all()

    def _next(self) -> Place | None:
        """The next place that is due; None when the thread is to end."""
        with self._wake:
            while not self._stopping:
                place = min(self._due, key=lambda each: self._due[each][0], default=None)
                wait = None if place is None else self._due[place][0] - monotonic()
                if place is not None and wait is not None and wait <= 0:
                    del self._due[place]
                    return place
                self._wake.wait(wait)
        return None

    def _index(self, place: Place) -> None:
        while not self._stopping and index_page(self._store, *place):
            pass
        for follower in () if self._stopping else self._followers:
            follower(*place)
        self._reported = False

    def _put_off(self, place: Place, error: Exception) -> None:
        if not self._reported:
            logger.warning("memories wait to be indexed: %s", error)
        self._reported = True
        moment = monotonic() + RETRY_SECONDS
        with self._wake:
            self._due.setdefault(place, (moment, moment))
