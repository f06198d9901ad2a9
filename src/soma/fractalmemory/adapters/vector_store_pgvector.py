"""Memories in PostgreSQL, searched with pgvector."""

# ruff: noqa: S608 - statements are put together from pieces of ours; every value has its place

from time import monotonic
from typing import Any
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from soma.base.database import APP
from soma.fractalmemory.adapters.availability import postgres_answers
from soma.fractalmemory.adapters.memory_rows import MemoryRows
from soma.fractalmemory.adapters.nearest_rows import NAMESPACE, by_index, scan, unindexed
from soma.fractalmemory.domain.query import VectorQuery
from soma.fractalmemory.domain.reconciled import Reconciled
from soma.fractalmemory.domain.record import ScoredRecord
from soma.fractalmemory.models import POSTGRES_INDEX

EXACT_ROWS = 10_000
"""Namespaces of at most so many memories are not indexed: to read them all takes 5 ms, is exact, and costs
nothing when they are written. The index is shared by all tenants; the fewer are in it, the less a search has
to pass over others' rows."""

PENDING_ROWS = 1_000
"""Of a namespace that is indexed, so many may wait: to read them takes half a millisecond."""

HAS_INDEXED = f"SELECT EXISTS (SELECT FROM {NAMESPACE} AND indexed_by = '{POSTGRES_INDEX}')"
HAS_WAITING = f"SELECT true FROM ({unindexed('id', POSTGRES_INDEX)}) AS waiting LIMIT 1 OFFSET %(may_wait)s"
TAKE_IN = f"""
    WITH waiting AS ({unindexed("id", POSTGRES_INDEX)} LIMIT %(limit)s),
    held AS (
        SELECT id FROM memory_record WHERE id IN (SELECT id FROM waiting) FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE memory_record SET indexed_by = '{POSTGRES_INDEX}' WHERE id IN (SELECT id FROM held)
"""
TRY_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 1))"
"""One process at a time indexes a namespace: two would only wait for each other's rows."""

SIZE_SECONDS = 60.0
"""How long it is taken for granted that a namespace is indexed, or not. A wrong guess costs time only."""

SIZES_KEPT = 10_000


class PgvectorStore(MemoryRows):
    """VectorStore on the table `memory_record` alone."""

    def __init__(self, *, using: str = APP, exact_rows: int = EXACT_ROWS) -> None:
        super().__init__(using=using)
        self._exact_rows = exact_rows
        self._indexed: dict[tuple[UUID, str], tuple[bool, float]] = {}

    def search(self, tenant_id: UUID, query: VectorQuery) -> list[ScoredRecord]:
        """See VectorStore."""
        with postgres_answers(), self._cursor() as cursor:
            if self._is_indexed(cursor, tenant_id, query.namespace):
                found = by_index(cursor, tenant_id, query)
                if found is not None:
                    return found
            return scan(cursor, tenant_id, query)

    def index(self, tenant_id: UUID, namespace: str, limit: int) -> int:
        """See VectorStore."""
        place: dict[str, Any] = {"tenant": tenant_id, "namespace": namespace}
        with postgres_answers(), self._cursor() as cursor:
            cursor.execute(TRY_LOCK, [f"{tenant_id}/{namespace}"])
            if cursor.fetchone() != (True,):
                return 0
            may_wait = self._may_wait(_has_indexed(cursor, tenant_id, namespace))
            cursor.execute(HAS_WAITING, place | {"may_wait": may_wait})
            if cursor.fetchone() is None:
                return 0
            cursor.execute(TAKE_IN, place | {"limit": limit})
            return int(cursor.rowcount)

    def reconcile(self, tenant_id: UUID, cursor: str | None, limit: int) -> Reconciled:
        """See VectorStore. The index is in the memories' own table and transaction: nothing can be amiss."""
        return Reconciled(lost=0, orphaned=0, cursor=None)

    def _may_wait(self, indexed: bool) -> int:
        return min(PENDING_ROWS, self._exact_rows) if indexed else self._exact_rows

    def _is_indexed(self, cursor: CursorWrapper, tenant_id: UUID, namespace: str) -> bool:
        indexed, until = self._indexed.get((tenant_id, namespace), (False, 0.0))
        if monotonic() < until:
            return indexed
        indexed = _has_indexed(cursor, tenant_id, namespace)
        if len(self._indexed) >= SIZES_KEPT:
            self._indexed.clear()
        self._indexed[tenant_id, namespace] = indexed, monotonic() + SIZE_SECONDS
        return indexed


def _has_indexed(cursor: CursorWrapper, tenant_id: UUID, namespace: str) -> bool:
    cursor.execute(HAS_INDEXED, {"tenant": tenant_id, "namespace": namespace})
    return bool(cursor.fetchone() == (True,))
