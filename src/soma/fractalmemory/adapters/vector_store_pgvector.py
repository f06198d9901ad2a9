"""Memories in PostgreSQL, compared with pgvector.

Small namespaces are read row by row. Of large ones sketches are kept in blocks, and in this process: they
say which two hundred rows to compare. What is not in a block yet is read row by row beside them.
"""

# ruff: noqa: S608 - statements are put together from pieces of ours; every value has its place

from collections.abc import Collection
from time import monotonic
from typing import Any, Protocol, TypeVar
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from soma.base.database import APP
from soma.fractalmemory.adapters.availability import postgres_answers
from soma.fractalmemory.adapters.binary_rows import binary_rows
from soma.fractalmemory.adapters.conditions import query_conditions
from soma.fractalmemory.adapters.memory_rows import MemoryRows
from soma.fractalmemory.adapters.namespace_lock import lock_namespaces
from soma.fractalmemory.adapters.nearest_rows import (
    AMONG,
    DISTANCE,
    NEAREST,
    nearest,
    places,
    scan,
    unindexed,
)
from soma.fractalmemory.adapters.sketch_cache import NamespaceSketches, SketchCache
from soma.fractalmemory.adapters.sketch_rows import ENTRY, append_sketches
from soma.fractalmemory.adapters.text_array import array_of
from soma.fractalmemory.domain.query import VectorQuery
from soma.fractalmemory.domain.reconciled import Reconciled
from soma.fractalmemory.domain.record import ScoredRecord
from soma.fractalmemory.models import DIMENSIONS, POSTGRES_INDEX

EXACT_ROWS = 10_000
"""Namespaces of at most so many memories are not indexed: to read them all takes 5 ms, is exact, and costs
nothing when they are written."""

PENDING_ROWS = 500
"""Of a namespace that is indexed, so many may wait: to read them takes a quarter of a millisecond."""

COMPARED = 192
"""Rows that sketches choose to be compared, or four times as many as are wanted if that is more. Of 100,000
the 50 nearest are found to 99.7 %."""

WIDER = 8
"""How many times as many are compared when filters left too few."""

TOO_WIDE = 40_000
"""To look up as many rows takes as long as to read a whole namespace of ten times as many."""

HAS_INDEXED = """
    SELECT EXISTS (SELECT FROM memory_sketch WHERE tenant_id = %(tenant)s AND namespace = %(namespace)s)
"""
HAS_WAITING = f"SELECT true FROM ({unindexed('id', POSTGRES_INDEX)}) AS waiting LIMIT 1 OFFSET %(may_wait)s"
TAKE_IN = f"""
    WITH waiting AS ({unindexed("id", POSTGRES_INDEX)} LIMIT %(limit)s), taken AS (
        UPDATE memory_record SET indexed_by = '{POSTGRES_INDEX}' WHERE id IN (SELECT id FROM waiting)
        RETURNING id, embedding
    )
    SELECT count(*), string_agg({ENTRY}, ''::bytea ORDER BY id) FROM taken
"""
LOOK = """
    SELECT number, version, entries, NULL::uuid, NULL::boolean FROM memory_sketch
    WHERE tenant_id = %(tenant)s AND namespace = %(namespace)s AND version > %(seen)s
    UNION ALL
    SELECT NULL, NULL, NULL, id, NULL FROM ({waiting}) AS waiting
    UNION ALL
    SELECT NULL, NULL, NULL, NULL, pg_current_xact_id_if_assigned() IS NOT NULL
"""
"""One statement, so that a memory which is being taken into a block is seen on one side or the other. What a
transaction sees that has written may be its own, and may never be: it is not for others."""

KNOWN = """
    SELECT id, EXISTS (
        SELECT FROM memory_sketch
        WHERE tenant_id = %(tenant)s AND namespace = %(namespace)s AND version > %(seen)s
    )
    FROM ({rows}) AS seen ORDER BY distance, id LIMIT %(limit)s
"""
"""Compares and looks in one, for most searches find that nothing has changed."""

TRY_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 1))"
"""One process at a time indexes a namespace: two would only wait for each other."""

SIZE_SECONDS = 60.0
"""How long it is taken for granted that a namespace is indexed, or not. A wrong guess costs time only."""

SIZES_KEPT = 10_000


T = TypeVar("T")


class Read(Protocol[T]):
    """A way to read the nearest rows: whole, or their ids."""

    def __call__(
        self,
        cursor: CursorWrapper,
        tenant_id: UUID,
        query: VectorQuery,
        *,
        among: Collection[str] | None = None,
    ) -> list[T]:
        """Of all, or of those among."""


class PgvectorStore(MemoryRows):
    """VectorStore on the tables `memory_record` and `memory_sketch`."""

    def __init__(self, *, using: str = APP, exact_rows: int = EXACT_ROWS, compared: int = COMPARED) -> None:
        super().__init__(using=using)
        self._exact_rows = exact_rows
        self._compared = compared
        self._indexed: dict[tuple[UUID, str], tuple[bool, float]] = {}
        self._sketches = SketchCache()

    def search(self, tenant_id: UUID, query: VectorQuery) -> list[ScoredRecord]:
        """See VectorStore."""
        return self._read(scan, tenant_id, query)

    def nearest(self, tenant_id: UUID, query: VectorQuery) -> list[UUID]:
        """See VectorStore."""
        found = self._by_known_sketches(tenant_id, query)
        return self._read(nearest, tenant_id, query) if found is None else found

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
            lock_namespaces(cursor, tenant_id, [namespace])
            cursor.execute(TAKE_IN, place | {"limit": limit})
            [(count, entries)] = cursor.fetchall()
            if count:
                append_sketches(cursor, tenant_id, namespace, bytes(entries))
            return int(count)

    def reconcile(self, tenant_id: UUID, cursor: str | None, limit: int) -> Reconciled:
        """See VectorStore. The index is in the memories' own transaction: nothing can be amiss."""
        return Reconciled(lost=0, orphaned=0, cursor=None)

    def _read(self, read: "Read[T]", tenant_id: UUID, query: VectorQuery) -> list[T]:
        with postgres_answers(), self._cursor() as cursor:
            if self._is_indexed(cursor, tenant_id, query.namespace):
                return self._by_sketches(read, cursor, tenant_id, query)
            return read(cursor, tenant_id, query)

    def _by_sketches(
        self, read: "Read[T]", cursor: CursorWrapper, tenant_id: UUID, query: VectorQuery
    ) -> list[T]:
        sketches, waiting = self._look(tenant_id, query)
        compared, size = max(self._compared, 4 * query.limit), sketches.size
        while compared < TOO_WIDE:
            near = sketches.near(query.vector, compared)
            found = read(cursor, tenant_id, query, among={*near, *waiting})
            if len(found) >= query.limit or compared >= size:
                return found
            compared *= WIDER
        return read(cursor, tenant_id, query)

    def _by_known_sketches(self, tenant_id: UUID, query: VectorQuery) -> list[UUID] | None:
        """The nearest by what this process knows of the sketches; None when that is not all, or finds too
        few."""
        known = self._sketches.get(tenant_id, query.namespace)
        if not known.size:
            return None
        compared = max(self._compared, 4 * query.limit)
        conditions, values = query_conditions(query)
        waiting = unindexed(f"id, {DISTANCE} AS distance", POSTGRES_INDEX, conditions)
        # A memory may be known twice, after another index has had it, or known and waiting: it is seen once.
        indexed = AMONG.format(conditions=f"{conditions} AND indexed_by = '{POSTGRES_INDEX}'")
        among = array_of(dict.fromkeys(known.near(query.vector, compared)))
        values |= places(tenant_id, query) | {"seen": known.version, "among": among}
        found = binary_rows(self._using, KNOWN.format(rows=f"{indexed} UNION ALL {waiting}"), values)
        enough = len(found) >= query.limit or compared >= known.size
        if not enough or not found or any(changed for _, changed in found):
            return None
        return [record_id for record_id, _ in found]

    def _look(self, tenant_id: UUID, query: VectorQuery) -> tuple[NamespaceSketches, list[str]]:
        """The sketches of the namespace as they stand, and the nearest of the memories that have none."""
        known = self._sketches.get(tenant_id, query.namespace)
        conditions, values = query_conditions(query)
        waiting = unindexed(f"id, {DISTANCE} AS distance", POSTGRES_INDEX, conditions)
        statement = LOOK.format(waiting=NEAREST.format(rows=waiting))
        values |= places(tenant_id, query) | {"seen": known.version}
        rows = binary_rows(self._using, statement, values)
        changed = [(number, version, entries) for number, version, entries, *_ in rows if number is not None]
        if changed:
            known = known.after(changed, DIMENSIONS)
            if not any(has_written for *_, has_written in rows):
                self._sketches.put(tenant_id, query.namespace, known)
        return known, [record_id.hex for _, _, _, record_id, _ in rows if record_id is not None]

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
