"""The rows of memories in PostgreSQL: what every VectorStore here shares."""

# ruff: noqa: S608 - statements are put together from pieces of ours; every value has its place

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np
from django.db import connections
from django.db.backends.utils import CursorWrapper
from numpy.typing import NDArray

from soma.base.canonical import json_bytes
from soma.base.clock import now
from soma.base.database import APP
from soma.fractalmemory.adapters.availability import postgres_answers
from soma.fractalmemory.adapters.conditions import selection_conditions
from soma.fractalmemory.adapters.link_store_postgres import PostgresLinkStore
from soma.fractalmemory.adapters.namespace_lock import lock_namespaces
from soma.fractalmemory.adapters.passage_rows import count_passages, remove_passages, write_passages
from soma.fractalmemory.adapters.passage_store_postgres import PostgresPassageStore
from soma.fractalmemory.adapters.record_columns import COLUMNS, found, vector_of, vector_text
from soma.fractalmemory.adapters.sketch_rows import remove_sketches
from soma.fractalmemory.adapters.text_array import array_of
from soma.fractalmemory.adapters.usage_rows import charge, every_namespace, leaving, read_usage
from soma.fractalmemory.adapters.usage_rows import written as used_by
from soma.fractalmemory.domain.held import Held
from soma.fractalmemory.domain.record import IndexedRecord, MemoryRecord
from soma.fractalmemory.domain.selection import Selection
from soma.fractalmemory.domain.upsert import Outcome, Upserted, UpsertPlan
from soma.fractalmemory.domain.usage import Usage
from soma.fractalmemory.domain.written import Place, WrittenVector
from soma.fractalmemory.models import DIMENSIONS, POSTGRES_INDEX
from soma.fractalmemory.ports import LinkStore, PassageStore

STANDING = f"""
    WITH wanted AS MATERIALIZED (
        SELECT * FROM unnest(%(namespaces)s::text[], %(keys)s::text[], %(hashes)s::text[])
            AS wanted (namespace, key, content_hash)
    ), standing (standing_id) AS MATERIALIZED (
        SELECT record.id FROM wanted CROSS JOIN LATERAL (
            SELECT id FROM memory_record
            WHERE tenant_id = %(tenant)s AND namespace = wanted.namespace AND key = wanted.key OFFSET 0
        ) AS record
        UNION
        SELECT record.id FROM wanted CROSS JOIN LATERAL (
            SELECT id, tenant_id, namespace FROM memory_record
            WHERE content_hash = wanted.content_hash OFFSET 0
        ) AS record WHERE record.tenant_id = %(tenant)s AND record.namespace = wanted.namespace
    )
    SELECT {COLUMNS} FROM standing CROSS JOIN LATERAL (
        SELECT * FROM memory_record WHERE id = standing.standing_id OFFSET 0
    ) AS record ORDER BY id
"""
"""For the offsets see nearest_rows."""
WRITE = """
    INSERT INTO memory_record (id, tenant_id, namespace, key, content, content_hash, role, speaker,
                               occurred_at, importance, embedding, provenance, created_at, written_at)
    SELECT id, %s, namespace, key, content, content_hash, role, speaker, occurred_at, importance,
           embedding::halfvec, provenance::jsonb, created_at, %s
    FROM unnest(%s::uuid[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[],
                %s::timestamptz[], %s::double precision[], %b::text[], %b::text[], %s::timestamptz[])
        AS record (id, namespace, key, content, content_hash, role, speaker, occurred_at, importance,
                   embedding, provenance, created_at)
    ON CONFLICT (tenant_id, namespace, key) DO UPDATE
    SET content = excluded.content, content_hash = excluded.content_hash, role = excluded.role,
        speaker = excluded.speaker, occurred_at = excluded.occurred_at, importance = excluded.importance,
        embedding = excluded.embedding, provenance = excluded.provenance, written_at = excluded.written_at,
        indexed_by = NULL
"""
"""SQL, as all of storage is: it follows every turn, and the ORM takes two to seven times as long to write a
statement as the server takes to run it. A row is written into no index of vectors: `index` does it for many
at once, or never where a scan is as quick."""

GET = f"""
    SELECT {COLUMNS} FROM unnest(%s::text::uuid[]) AS wanted (wanted_id) CROSS JOIN LATERAL (
        SELECT * FROM memory_record WHERE id = wanted_id OFFSET 0
    ) AS record WHERE tenant_id = %s
"""
"""So it is planned once: comparing with an array, it would be planned for each anew."""

NAMESPACES = """
    SELECT namespace, count(*), max(occurred_at) FROM memory_record
    WHERE tenant_id = %(tenant)s AND (namespace = %(name)s OR starts_with(namespace, %(prefix)s))
    GROUP BY namespace ORDER BY namespace
"""
OWE_REMOVAL = """
    WITH standing AS MATERIALIZED (
        SELECT tenant_id, indexed_by, id, written_at FROM memory_record
        WHERE tenant_id = %s AND id = ANY(%s) FOR UPDATE
    )
    INSERT INTO memory_vector_removal (tenant_id, indexed_by, record_id, written_at)
    SELECT tenant_id, indexed_by, id, written_at FROM standing WHERE indexed_by > %s
"""
"""Locks first, and so sees an indexing of these rows that was under way."""

DELETE = """
    WITH gone AS (
        DELETE FROM memory_record WHERE tenant_id = %s AND id = ANY(%s)
        RETURNING tenant_id, indexed_by, id, written_at
    ), owed AS (
        INSERT INTO memory_vector_removal (tenant_id, indexed_by, record_id, written_at)
        SELECT tenant_id, indexed_by, id, written_at FROM gone WHERE indexed_by > %s
    )
    SELECT count(*) FROM gone
"""
"""A vector in another server cannot go in this transaction; that it has to go is part of it."""


class MemoryRows:
    """The part of a VectorStore that is the same whichever index searches the vectors."""

    def __init__(self, *, using: str = APP) -> None:
        self._using = using
        self._passages = PostgresPassageStore(using=using)
        self._links = PostgresLinkStore(using=using)

    @property
    def passages(self) -> PassageStore:
        """See VectorStore."""
        return self._passages

    @property
    def links(self) -> LinkStore:
        """See VectorStore."""
        return self._links

    @property
    def dimensions(self) -> int:
        """See VectorStore."""
        return DIMENSIONS

    def upsert(self, tenant_id: UUID, batch: Sequence[IndexedRecord]) -> list[Upserted]:
        """See VectorStore."""
        with postgres_answers(), self._cursor() as cursor:
            lock_namespaces(cursor, tenant_id, [indexed.record.namespace for indexed in batch])
            standing = _standing(cursor, tenant_id, batch)
            plan = UpsertPlan(standing)
            outcomes = plan.decide(batch)
            counted = count_passages(cursor, tenant_id, plan.writes)
            _write(cursor, tenant_id, plan.writes, outcomes)
            write_passages(cursor, tenant_id, counted, _rewritten(outcomes))
            charge(cursor, tenant_id, used_by(standing, plan.writes))
            return outcomes

    def get(self, tenant_id: UUID, ids: Sequence[UUID]) -> list[MemoryRecord]:
        """See VectorStore."""
        rows = self._rows(GET, [array_of(each.hex for each in dict.fromkeys(ids)), tenant_id])
        return [found(*row) for row in rows]

    def select(
        self, tenant_id: UUID, selection: Selection, *, after: str | None, limit: int
    ) -> list[MemoryRecord]:
        """See VectorStore."""
        conditions, values = selection_conditions(selection)
        if after is not None:
            conditions += " AND key > %(after)s"
        statement = f"""
            SELECT {COLUMNS} FROM memory_record
            WHERE tenant_id = %(tenant)s AND namespace = %(namespace)s{conditions}
            ORDER BY key LIMIT %(limit)s
        """
        places = {"tenant": tenant_id, "namespace": selection.namespace, "after": after, "limit": limit}
        rows = self._rows(statement, values | places)
        return [found(*row) for row in rows]

    def vectors(self, tenant_id: UUID, ids: Sequence[UUID]) -> Mapping[UUID, NDArray[np.float32]]:
        """See VectorStore."""
        statement = "SELECT id, embedding::text FROM memory_record WHERE tenant_id = %s AND id = ANY(%s)"
        return {row_id: vector_of(text) for row_id, text in self._rows(statement, [tenant_id, list(ids)])}

    def written(
        self, tenant_id: UUID, namespace: str, *, after: Place | None, limit: int
    ) -> list[WrittenVector]:
        """See VectorStore."""
        behind = "" if after is None else "AND (written_at, id) > (%(written_at)s, %(id)s)"
        statement = f"""
            SELECT written_at, id, embedding::text FROM memory_record
            WHERE tenant_id = %(tenant)s AND namespace = %(namespace)s {behind}
            ORDER BY written_at, id LIMIT %(limit)s
        """
        values: dict[str, Any] = {"tenant": tenant_id, "namespace": namespace, "limit": limit}
        if after is not None:
            values |= {"written_at": after.written_at, "id": after.record_id}
        return [
            WrittenVector(place=Place(written_at=written_at, record_id=row_id), vector=vector_of(text))
            for written_at, row_id, text in self._rows(statement, values)
        ]

    def delete(self, tenant_id: UUID, ids: Sequence[UUID]) -> int:
        """See VectorStore."""
        with postgres_answers(), self._cursor() as cursor:
            remove_passages(cursor, tenant_id, ids)
            remove_sketches(cursor, tenant_id, ids)
            changes = leaving(cursor, tenant_id, ids)
            cursor.execute(DELETE, [tenant_id, list(ids), POSTGRES_INDEX])
            [(count,)] = cursor.fetchall()
            charge(cursor, tenant_id, changes)
        return int(count)

    def count(self, tenant_id: UUID, namespace: str) -> int:
        """See VectorStore."""
        statement = "SELECT count(*) FROM memory_record WHERE tenant_id = %s AND namespace = %s"
        [(count,)] = self._rows(statement, [tenant_id, namespace])
        return int(count)

    def namespaces(self, tenant_id: UUID, name: str, prefix: str) -> list[Held]:
        """See VectorStore."""
        rows = self._rows(NAMESPACES, {"tenant": tenant_id, "name": name, "prefix": prefix})
        return [Held(namespace=found, records=records, latest=latest) for found, records, latest in rows]

    def usage(self, tenant_id: UUID, namespaces: Collection[str]) -> Mapping[str, Usage]:
        """See VectorStore."""
        with postgres_answers(), self._cursor() as cursor:
            return read_usage(cursor, tenant_id, namespaces)

    def every_namespace(self) -> list[tuple[UUID, str]]:
        """See VectorStore."""
        with postgres_answers():
            return every_namespace()

    def _cursor(self) -> CursorWrapper:
        return connections[self._using].cursor()

    def _rows(self, statement: str, values: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
        with postgres_answers(), self._cursor() as cursor:
            cursor.execute(statement, values)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows


def _standing(cursor: CursorWrapper, tenant_id: UUID, batch: Sequence[IndexedRecord]) -> list[MemoryRecord]:
    """The memories that share a key or a content with one of `batch`."""
    records = [indexed.record for indexed in batch]
    values: dict[str, Any] = {
        "tenant": tenant_id,
        "namespaces": [record.namespace for record in records],
        "keys": [record.key for record in records],
        "hashes": [record.content_hash for record in records],
    }
    cursor.execute(STANDING, values)
    return [found(*row) for row in cursor.fetchall()]


def _write(
    cursor: CursorWrapper, tenant_id: UUID, writes: Sequence[IndexedRecord], outcomes: Sequence[Upserted]
) -> None:
    rewritten = _rewritten(outcomes)
    if rewritten:
        remove_sketches(cursor, tenant_id, rewritten)
        cursor.execute(OWE_REMOVAL, [tenant_id, rewritten, POSTGRES_INDEX])
    if writes:
        columns = zip(*map(_values, writes), strict=True)
        cursor.execute(WRITE, [tenant_id, now(), *map(list, columns)])


def _rewritten(outcomes: Sequence[Upserted]) -> list[UUID]:
    return [each.id for each in outcomes if each.outcome is Outcome.UPDATED]


def _values(indexed: IndexedRecord) -> tuple[Any, ...]:
    record = indexed.record
    return (
        record.id,
        record.namespace,
        record.key,
        record.content,
        record.content_hash,
        record.role,
        record.speaker,
        record.occurred_at,
        record.importance,
        vector_text(indexed.vector),
        json_bytes(dict(record.provenance)).decode(),
        record.created_at,
    )
