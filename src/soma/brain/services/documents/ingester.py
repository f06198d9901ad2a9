"""The thread that works on documents, one after the other."""

import logging
from collections import OrderedDict
from threading import Condition, Thread
from time import monotonic
from uuid import UUID

from django.db import InterfaceError, OperationalError, connections

from soma.base.database import WORKER, drop_broken_connections, worker_transaction
from soma.base.errors import Unavailable
from soma.brain.domain.documents.document import ACTIVE
from soma.brain.errors import IngestStopped
from soma.brain.models import DocumentRow
from soma.brain.ports import DocumentReader, Embedder
from soma.brain.services.documents.work import DocumentWork
from soma.brain.services.guard import Guard
from soma.fractalmemory.api import FractalMemory

LOOK_SECONDS = 5.0
"""How often a server looks for documents that another process has left behind."""
RETRY_SECONDS = 2.0
AT_ONCE = 50

TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended(%s, 2))"
UNLOCK = "SELECT pg_advisory_unlock(hashtextextended(%s, 2))"
"""A lock of the session: when the process dies the server lets go of it at once, and the next one goes
on."""

Place = tuple[UUID, UUID]
"""Tenant and document."""

logger = logging.getLogger(__name__)


class Ingester:
    """Works on the documents that it is told of; one that takes over, on what others have left behind too."""

    def __init__(
        self, memory: FractalMemory, embedder: Embedder, reader: DocumentReader, guard: Guard
    ) -> None:
        self._work = DocumentWork(memory, embedder, reader, guard, lambda: self._stopping)
        self._wake = Condition()
        self._told: OrderedDict[Place, None] = OrderedDict()
        self._put_off: dict[Place, float] = {}
        self._looked = -LOOK_SECONDS
        self._take_over = False
        self._thread: Thread | None = None
        self._stopping = False

    def start(self, *, take_over: bool) -> None:
        """Start the thread."""
        self._stopping, self._take_over = False, take_over
        self._thread = Thread(target=self._run, name="soma-ingester", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the batch that it is at; what is left is gone on with by the next process."""
        if self._thread is None:
            return
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join()
        self._thread = None

    def tell(self, tenant_id: UUID, document_id: UUID) -> None:
        """There is something to do for this document."""
        with self._wake:
            self._told[tenant_id, document_id] = None
            self._wake.notify()

    def _run(self) -> None:
        while (place := self._next()) is not None:
            self._serve(place)
        connections.close_all()

    def _next(self) -> Place | None:
        """The next document to try; None when the thread is to end."""
        while True:
            self._look()
            with self._wake:
                if self._stopping:
                    return None
                moment = monotonic()
                due = [place for place in self._told if self._put_off.get(place, 0.0) <= moment]
                if due:
                    del self._told[due[0]]
                    self._put_off.pop(due[0], None)
                    return due[0]
                self._wake.wait(self._rest(moment))

    def _rest(self, moment: float) -> float | None:
        """How long there is nothing to do, None for until somebody tells."""
        waits = [self._put_off[place] - moment for place in self._told if place in self._put_off]
        if self._take_over:
            waits.append(max(0.0, self._looked + LOOK_SECONDS - moment))
        return min(waits, default=None)

    def _look(self) -> None:
        if not self._take_over or monotonic() < self._looked + LOOK_SECONDS:
            return
        self._looked = monotonic()
        try:
            with worker_transaction():
                active = DocumentRow.objects.using(WORKER).filter(status__in=ACTIVE).order_by("received_at")
                found = list(active.values_list("tenant_id", "id")[:AT_ONCE])
        except (OperationalError, InterfaceError) as error:
            logger.warning("documents cannot be looked for: %s", error)
            drop_broken_connections()
            return
        with self._wake:
            for place in found:
                self._told.setdefault(place)

    def _serve(self, place: Place) -> None:
        try:
            self._serve_alone(place)
        except IngestStopped as stopped:
            logger.info("document %s: %s", place[1], stopped.detail)
        except (Unavailable, OperationalError, InterfaceError) as error:
            logger.warning("document %s waits: %s", place[1], error)
            self._try_later(place)
        except Exception:  # the thread's boundary: recorded, and tried again until its attempts are used up
            logger.exception("document %s could not be ingested", place[1])
            self._try_later(place)
        finally:
            drop_broken_connections()

    def _serve_alone(self, place: Place) -> None:
        """Work on the document, unless another process does: then see later whether anything was left."""
        name = f"soma.ingest/{place[1]}"
        with connections[WORKER].cursor() as cursor:
            cursor.execute(TRY_LOCK, [name])
            if cursor.fetchone() != (True,):
                self._try_later(place)
                return
            try:
                self._work.run(*place)
            finally:
                if connections[WORKER].connection is not None:
                    cursor.execute(UNLOCK, [name])

    def _try_later(self, place: Place) -> None:
        with self._wake:
            self._told[place] = None
            self._put_off[place] = monotonic() + RETRY_SECONDS
