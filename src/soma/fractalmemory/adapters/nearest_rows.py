"""The rows nearest to a vector, found by PostgreSQL."""

# ruff: noqa: S608 - statements are put together from pieces of ours; every value has its place

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from soma.fractalmemory.adapters.conditions import query_conditions
from soma.fractalmemory.adapters.record_columns import COLUMNS, found, vector_text
from soma.fractalmemory.adapters.text_array import array_of
from soma.fractalmemory.domain.query import VectorQuery
from soma.fractalmemory.domain.record import ScoredRecord

DISTANCE = "embedding <=> %(vector)s::halfvec"
NAMESPACE = "memory_record WHERE tenant_id = %(tenant)s AND namespace = %(namespace)s"

NEAREST = "SELECT id, distance FROM ({rows}) AS seen ORDER BY distance, id LIMIT %(limit)s"
"""Reads each of `rows`: exact."""

SCANNED = f"""
    WITH near (near_id, distance) AS ({{nearest}})
    SELECT near.distance, {COLUMNS} FROM near CROSS JOIN LATERAL (
        SELECT * FROM memory_record WHERE id = near.near_id OFFSET 0
    ) AS record ORDER BY near.distance, id
"""
"""Ids first, then the columns of those that are wanted: half the time of sorting whole rows."""

ALL = f"SELECT id, {DISTANCE} AS distance FROM {NAMESPACE}{{conditions}}"
AMONG = f"""
    SELECT record.id, {DISTANCE} AS distance
    FROM unnest(%(among)s::text::uuid[]) AS chosen (chosen_id) CROSS JOIN LATERAL (
        SELECT * FROM memory_record WHERE id = chosen_id OFFSET 0
    ) AS record WHERE tenant_id = %(tenant)s AND namespace = %(namespace)s{{conditions}}
"""
"""The offset bids the planner look each row up by its id, and by nothing else: it takes a tenant's namespace
for as small a set as one id, and would read all of it for each."""


def scan(
    cursor: CursorWrapper, tenant_id: UUID, query: VectorQuery, *, among: Collection[str] | None = None
) -> list[ScoredRecord]:
    """The memories nearest to `query`, of those `among` whose ids (32 hexadecimal digits) it is to look, by
    reading them all; by default all of its namespace: 0.5 ms for 1,000 rows."""
    _execute(cursor, SCANNED.format(nearest=NEAREST), tenant_id, query, among)
    return [_scored(*row) for row in cursor.fetchall()]


def nearest(
    cursor: CursorWrapper, tenant_id: UUID, query: VectorQuery, *, among: Collection[str] | None = None
) -> list[UUID]:
    """The ids alone of what `scan` finds, in its order."""
    _execute(cursor, NEAREST, tenant_id, query, among)
    return [record_id for record_id, _ in cursor.fetchall()]


def _execute(
    cursor: CursorWrapper,
    statement: str,
    tenant_id: UUID,
    query: VectorQuery,
    among: Collection[str] | None,
) -> None:
    conditions, values = query_conditions(query)
    rows = (ALL if among is None else AMONG).format(conditions=conditions)
    if among is not None:
        values["among"] = array_of(among)
    cursor.execute(statement.format(rows=rows), places(tenant_id, query) | values)


def places(tenant_id: UUID, query: VectorQuery) -> dict[str, Any]:
    """The values of the places that every search has."""
    return {
        "tenant": tenant_id,
        "namespace": query.namespace,
        "vector": vector_text(query.vector),
        "limit": query.limit,
    }


def unindexed(columns: str, index: UUID, conditions: str = "") -> str:
    """SQL for `columns` of the memories of a namespace that are not in `index`. Three ranges, each of which
    the table's own index finds at once; an inequality would read the whole namespace, and so would a planner
    that is let compare the namespace by the index of keys."""
    ranges = ("IS NULL", f"< '{index}'", f"> '{index}'")
    return " UNION ALL ".join(
        f"""SELECT {columns} FROM memory_record WHERE tenant_id = %(tenant)s
        AND namespace || '' = %(namespace)s AND indexed_by {each}{conditions}"""
        for each in ranges
    )


def _scored(distance: float, *columns: Any) -> ScoredRecord:
    return ScoredRecord(record=found(*columns), similarity=1.0 - distance)
