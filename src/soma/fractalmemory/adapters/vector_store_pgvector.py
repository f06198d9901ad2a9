"""Memories in PostgreSQL with pgvector."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError, connections
from django.db.models import QuerySet
from pgvector import HalfVector

from soma.base.canonical import json_bytes, json_value
from soma.base.database import APP
from soma.fractalmemory.domain.query import VectorQuery
from soma.fractalmemory.domain.record import IndexedRecord, MemoryRecord, ScoredRecord
from soma.fractalmemory.domain.upsert import Upserted, UpsertPlan
from soma.fractalmemory.errors import StoreUnavailable
from soma.fractalmemory.models import DIMENSIONS, MemoryRecordRow

EXACT_ROWS = 5_000
"""Namespaces of at most so many memories are searched row by row: exact, and never slow. The index is shared
by all tenants and has to pass over the others' rows. Measured, p50: a scan takes 1.9 ms over 1,000 rows, 9.6
over 5,000, 22 over 20,000; the index, in a table of 26,000 rows, 11, 2.6 and 2.3 ms, but 15 to 25 ms for a
namespace of 6,000 whose texts three other tenants hold as well."""

FOUND = ("id", "namespace", "key", "content", "role", "speaker", "occurred_at", "importance", "created_at")
"""The columns of a memory that the statements below find, after its provenance."""

NEAREST = """
    SELECT * FROM (
        SELECT embedding <=> %s::halfvec AS distance, provenance::text, id, namespace, key, content, role,
               speaker, occurred_at, importance, created_at
        FROM memory_record WHERE tenant_id = %s AND namespace = %s{conditions}
    ) AS found ORDER BY {order} LIMIT %s
"""
"""The memories nearest to a vector. SQL, because every turn asks it and the ORM takes 2 ms to write it, as
long as the search itself takes over a thousand memories."""

STANDING = """
    SELECT provenance::text, id, namespace, key, content, role, speaker, occurred_at, importance, created_at
    FROM memory_record
    WHERE tenant_id = %s AND namespace = ANY(%s::text[])
      AND (key = ANY(%s::text[]) OR content_hash = ANY(%s::text[]))
    ORDER BY id
"""
WRITE = """
    INSERT INTO memory_record (id, tenant_id, namespace, key, content, content_hash, role, speaker,
                               occurred_at, importance, embedding, provenance, created_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s::halfvec, %s::jsonb, %s)
    ON CONFLICT (tenant_id, namespace, key) DO UPDATE
    SET content = excluded.content, content_hash = excluded.content_hash, role = excluded.role,
        speaker = excluded.speaker, occurred_at = excluded.occurred_at, importance = excluded.importance,
        embedding = excluded.embedding, provenance = excluded.provenance
"""
"""SQL both, because they follow every turn, and take two and seven times as long with the ORM."""

HAS_MORE_ROWS = "SELECT true FROM memory_record WHERE tenant_id = %s AND namespace = %s LIMIT 1 OFFSET %s"
"""SQL for the same reason."""

SIZE_SECONDS = 60.0
"""How long it is taken for granted that a namespace is small, or large. A wrong guess costs time only."""

SIZES_KEPT = 10_000

LOCK_NAMESPACE = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
"""Serialises writers of one namespace until commit: two that store one content must not both find it new.
SQL, because the ORM has no words for advisory locks."""

ITERATIVE_SCAN = "SELECT set_config('hnsw.iterative_scan', 'strict_order', true)"
"""Lets the index go on until enough rows pass row-level security and the filters, instead of giving up
after its first `hnsw.ef_search` candidates. SQL, because it is a setting of the transaction."""


class PgvectorStore:
    """VectorStore on the table `memory_record`."""

    def __init__(self, *, using: str = APP, exact_rows: int = EXACT_ROWS) -> None:
        self._using = using
        self._exact_rows = exact_rows
        self._sizes: dict[tuple[UUID, str], tuple[bool, float]] = {}

    @property
    def dimensions(self) -> int:
        """See VectorStore."""
        return DIMENSIONS

    def upsert(self, tenant_id: UUID, batch: Sequence[IndexedRecord]) -> list[Upserted]:
        """See VectorStore."""
        with _available():
            self._lock_namespaces(tenant_id, {indexed.record.namespace for indexed in batch})
            plan = UpsertPlan(self._standing(tenant_id, batch))
            outcomes = plan.decide(batch)
            self._write(tenant_id, plan.writes)
            return outcomes

    def search(self, tenant_id: UUID, query: VectorQuery) -> list[ScoredRecord]:
        """See VectorStore."""
        with _available():
            if not self._is_large(tenant_id, query.namespace):
                return self._exact(tenant_id, query)
            found = self._by_index(tenant_id, query)
            # The index stops after hnsw.max_scan_tuples rows of all tenants; only a scan can tell then.
            return found if len(found) == query.limit else self._exact(tenant_id, query)

    def get(self, tenant_id: UUID, ids: Sequence[UUID]) -> list[MemoryRecord]:
        """See VectorStore."""
        with _available():
            return [_record(row) for row in self._rows(tenant_id).filter(id__in=ids).defer("embedding")]

    def delete(self, tenant_id: UUID, ids: Sequence[UUID]) -> int:
        """See VectorStore."""
        with _available():
            return self._rows(tenant_id).filter(id__in=ids).delete()[0]

    def count(self, tenant_id: UUID, namespace: str) -> int:
        """See VectorStore."""
        with _available():
            return self._rows(tenant_id).filter(namespace=namespace).count()

    def _rows(self, tenant_id: UUID) -> QuerySet[MemoryRecordRow]:
        return MemoryRecordRow.objects.using(self._using).filter(tenant_id=tenant_id)

    def _lock_namespaces(self, tenant_id: UUID, namespaces: set[str]) -> None:
        with connections[self._using].cursor() as cursor:
            for namespace in sorted(namespaces):
                cursor.execute(LOCK_NAMESPACE, [f"{tenant_id}/{namespace}"])

    def _standing(self, tenant_id: UUID, batch: Sequence[IndexedRecord]) -> list[MemoryRecord]:
        """The memories that share a key or a content with one of `batch`."""
        records = [indexed.record for indexed in batch]
        namespaces = sorted({record.namespace for record in records})
        keys, hashes = [record.key for record in records], [record.content_hash for record in records]
        with connections[self._using].cursor() as cursor:
            cursor.execute(STANDING, [tenant_id, namespaces, keys, hashes])
            return [_found(*row) for row in cursor.fetchall()]

    def _write(self, tenant_id: UUID, batch: Sequence[IndexedRecord]) -> None:
        if not batch:
            return
        with connections[self._using].cursor() as cursor:
            cursor.executemany(WRITE, [_values(tenant_id, indexed) for indexed in batch])

    def _is_large(self, tenant_id: UUID, namespace: str) -> bool:
        large, until = self._sizes.get((tenant_id, namespace), (False, 0.0))
        if monotonic() < until:
            return large
        with connections[self._using].cursor() as cursor:
            cursor.execute(HAS_MORE_ROWS, [tenant_id, namespace, self._exact_rows])
            large = cursor.fetchone() is not None
        if len(self._sizes) >= SIZES_KEPT:
            self._sizes.clear()
        self._sizes[tenant_id, namespace] = large, monotonic() + SIZE_SECONDS
        return large

    def _exact(self, tenant_id: UUID, query: VectorQuery) -> list[ScoredRecord]:
        # An ordering by an expression of the distance is one that the index cannot serve.
        return self._nearest(tenant_id, query, "distance + 0.0")

    def _by_index(self, tenant_id: UUID, query: VectorQuery) -> list[ScoredRecord]:
        with connections[self._using].cursor() as cursor:
            cursor.execute(ITERATIVE_SCAN)
        return self._nearest(tenant_id, query, "distance")

    def _nearest(self, tenant_id: UUID, query: VectorQuery, order: str) -> list[ScoredRecord]:
        conditions, values = _conditions(query)
        statement = NEAREST.format(conditions=conditions, order=order)
        vector = HalfVector(query.vector).to_text()
        with connections[self._using].cursor() as cursor:
            cursor.execute(statement, [vector, tenant_id, query.namespace, *values, query.limit])
            return [_scored(*row) for row in cursor.fetchall()]


def _conditions(query: VectorQuery) -> tuple[str, list[Any]]:
    """What restricts `query` beyond its namespace: SQL of ours, and the values for its places."""
    conditions, values = "", list[Any]()
    for key, allowed in sorted(query.filters.items()):
        conditions += " AND provenance ->> %s = ANY(%s::text[])"
        values += [key, list(allowed)]
    if query.exclude_source_hashes:
        conditions += " AND NOT coalesce(provenance ->> 'input_hash', '') = ANY(%s::text[])"
        values.append(list(query.exclude_source_hashes))
    if query.as_of is not None:
        conditions += " AND occurred_at <= %s"
        values.append(query.as_of)
    return conditions, values


def _scored(distance: float, *columns: Any) -> ScoredRecord:
    return ScoredRecord(record=_found(*columns), similarity=1.0 - distance)


def _found(provenance: str, *columns: Any) -> MemoryRecord:
    values = dict(zip(FOUND, columns, strict=True))
    return MemoryRecord(**values, provenance=json_value(provenance))


def _values(tenant_id: UUID, indexed: IndexedRecord) -> list[Any]:
    record = indexed.record
    return [
        record.id,
        tenant_id,
        record.namespace,
        record.key,
        record.content,
        record.content_hash,
        record.role,
        record.speaker,
        record.occurred_at,
        record.importance,
        HalfVector(indexed.vector).to_text(),
        json_bytes(dict(record.provenance)).decode(),
        record.created_at,
    ]


def _record(row: MemoryRecordRow) -> MemoryRecord:
    return MemoryRecord(
        id=row.id,
        namespace=row.namespace,
        key=row.key,
        content=row.content,
        role=row.role,
        speaker=row.speaker,
        occurred_at=row.occurred_at,
        importance=row.importance,
        provenance=row.provenance,
        created_at=row.created_at,
    )


@contextmanager
def _available() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise StoreUnavailable(f"PostgreSQL does not answer: {error}") from error
