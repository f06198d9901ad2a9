"""Keeps SpiceDB level with the database: at the start, after an outage, and wherever the two have parted."""

import logging
import threading
from uuid import UUID

from django.db import connections

from soma.base.database import drop_broken_connections, drop_ended_connections, tenant_transaction
from soma.policy.adapters import relation_revisions, relation_rows
from soma.policy.adapters import spicedb_ledger as ledger
from soma.policy.adapters.relation_revisions import Revision
from soma.policy.adapters.spicedb_messages import remote_id
from soma.policy.adapters.spicedb_writing import SpiceDbWriting
from soma.policy.domain.relationship import RelationshipFilter

logger = logging.getLogger(__name__)

RETRY_SECONDS = 0.5
GATHER_SECONDS = 0.2
"""Between two rounds: who asks meanwhile is served together."""


class SpiceDbKeeper:
    """A thread that looks after what it is asked to. Those that somebody waits for come first."""

    def __init__(self, writing: SpiceDbWriting) -> None:
        self._writing = writing
        self._asked: set[UUID] = set()
        self._everything = False
        self._lock = threading.Lock()
        self._work = threading.Event()
        self._stopping = threading.Event()
        self._tried = threading.Event()
        self._thread = threading.Thread(target=self._run, name="soma-spicedb", daemon=True)
        self.fault: str | None = None

    def start(self, *, wait_seconds: float) -> None:
        """Begin with everything, and wait until it is done, has failed, or takes too long to wait for."""
        self.ask()
        self._thread.start()
        self._tried.wait(wait_seconds)

    def ask(self, tenant_id: UUID | None = None, *, fault: str | None = None) -> None:
        """Have a tenant looked after, or every one; `fault` is what somebody met there."""
        with self._lock:
            if tenant_id is None:
                self._everything = True
            else:
                self._asked.add(tenant_id)
            self.fault = fault or self.fault
        self._work.set()

    def stop(self) -> None:
        """End the thread after the tenant it is at."""
        self._stopping.set()
        self._work.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._work.wait()
                self._stopping.wait(GATHER_SECONDS if self._guarded_round() else RETRY_SECONDS)
                self._tried.set()
        finally:
            connections.close_all()

    def _guarded_round(self) -> bool:
        try:
            drop_ended_connections()
            self._round()
        except Exception as error:  # noqa: BLE001 - the thread's boundary: recorded, shown, tried again
            self._fail(error)
            return False
        return True

    def _fail(self, error: Exception) -> None:
        reason = f"{type(error).__name__}: {error}"
        if self.fault is None:
            logger.warning("SpiceDB cannot be brought level; trying again: %s", reason)
            self.fault = reason
        drop_broken_connections()
        self.ask()

    def _round(self) -> None:
        self._work.clear()
        self._writing.ensure_schema()
        waiting = self._parted() if self._takes_everything() else []
        if self.fault is not None:
            logger.info("SpiceDB answers again")
            self.fault = None
        while not self._stopping.is_set():
            tenant_id = self._first() or (waiting.pop() if waiting else None)
            if tenant_id is None:
                break
            self._level(tenant_id)

    def _takes_everything(self) -> bool:
        with self._lock:
            everything, self._everything = self._everything, False
        return everything

    def _first(self) -> UUID | None:
        with self._lock:
            return self._asked.pop() if self._asked else None

    def _parted(self) -> list[UUID]:
        """The tenants of which SpiceDB has reached another revision than the database."""
        reached = self._writing.reached()
        return [
            tenant_id
            for tenant_id, revision in relation_revisions.of_all_tenants().items()
            if reached.get(remote_id(tenant_id, ledger.KEY)) != {remote_id(tenant_id, str(revision))}
        ]

    def _level(self, tenant_id: UUID) -> None:
        with tenant_transaction(tenant_id):
            revision = relation_revisions.locked(tenant_id)
            token = self._writing.standing(tenant_id, revision)
            if token is None:
                everything = relation_rows.select(tenant_id, RelationshipFilter())
                reached, done = self._writing.level(tenant_id, everything)
                logger.debug("SpiceDB is level with tenant %s again: %s", tenant_id, done)
            else:
                reached = Revision(id=revision.id, previous=revision.previous, zed_token=token)
            relation_revisions.keep(tenant_id, reached)
