"""Memories in PostgreSQL with pgvector."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError, connections
from django.db.models import F, FloatField, Q, QuerySet, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce
from pgvector import HalfVector
from pgvector.django import CosineDistance

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
        rows = self._rows(tenant_id).filter(
            Q(key__in={record.key for record in records})
            | Q(content_hash__in={record.content_hash for record in records}),
            namespace__in={record.namespace for record in records},
        )
        return [_record(row) for row in rows.defer("embedding").order_by("id")]

    def _write(self, tenant_id: UUID, batch: Sequence[IndexedRecord]) -> None:
        MemoryRecordRow.objects.using(self._using).bulk_create(
            [_row(tenant_id, indexed) for indexed in batch],
            batch_size=500,
            update_conflicts=True,
            unique_fields=["tenant_id", "namespace", "key"],
            update_fields=[
                "content", "content_hash", "role", "speaker", "occurred_at",
                "importance", "embedding", "provenance",
            ],
        )  # fmt: skip

    def _is_large(self, tenant_id: UUID, namespace: str) -> bool:
        rows = self._rows(tenant_id).filter(namespace=namespace).order_by().values("id")
        return bool(rows[self._exact_rows : self._exact_rows + 1])

    def _exact(self, tenant_id: UUID, query: VectorQuery) -> list[ScoredRecord]:
        # An ordering by an expression of the distance is one that the index cannot serve.
        distance = CosineDistance("embedding", HalfVector(query.vector)) + Value(0.0, FloatField())
        return self._nearest(tenant_id, query, distance)

    def _by_index(self, tenant_id: UUID, query: VectorQuery) -> list[ScoredRecord]:
        with connections[self._using].cursor() as cursor:
            cursor.execute(ITERATIVE_SCAN)
        return self._nearest(tenant_id, query, CosineDistance("embedding", HalfVector(query.vector)))

    def _nearest(self, tenant_id: UUID, query: VectorQuery, distance: Any) -> list[ScoredRecord]:
        rows = _filtered(self._rows(tenant_id), query).defer("embedding").annotate(distance=distance)
        found = rows.order_by(F("distance"))[: query.limit]
        return [ScoredRecord(record=_record(row), similarity=1.0 - row.distance) for row in found]


def _filtered(rows: QuerySet[MemoryRecordRow], query: VectorQuery) -> QuerySet[MemoryRecordRow]:
    rows = rows.filter(namespace=query.namespace)
    for position, (key, values) in enumerate(sorted(query.filters.items())):
        # An alias, not a lookup path: the key is data, and "a__regex" must stay a key.
        name = f"provenance_{position}"
        rows = rows.alias(**{name: KeyTextTransform(key, "provenance")}).filter(**{f"{name}__in": values})
    if query.exclude_source_hashes:
        source = Coalesce(KeyTextTransform("input_hash", "provenance"), Value(""), output_field=TextField())
        rows = rows.alias(source=source).exclude(source__in=query.exclude_source_hashes)
    if query.as_of is not None:
        rows = rows.filter(occurred_at__lte=query.as_of)
    return rows


def _row(tenant_id: UUID, indexed: IndexedRecord) -> MemoryRecordRow:
    record = indexed.record
    return MemoryRecordRow(
        id=record.id,
        tenant_id=tenant_id,
        namespace=record.namespace,
        key=record.key,
        content=record.content,
        content_hash=record.content_hash,
        role=record.role,
        speaker=record.speaker,
        occurred_at=record.occurred_at,
        importance=record.importance,
        embedding=HalfVector(indexed.vector),
        provenance=dict(record.provenance),
        created_at=record.created_at,
    )


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
