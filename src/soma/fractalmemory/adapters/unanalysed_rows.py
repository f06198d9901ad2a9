"""Memories without a passage: those that were stored before there were any."""

# ruff: noqa: S608 - statements are put together from pieces of ours; every value has its place

from collections.abc import Sequence
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from soma.fractalmemory.adapters.record_columns import COLUMNS, found
from soma.fractalmemory.domain.owed import Owed
from soma.fractalmemory.domain.record import MemoryRecord

UNANALYSED = f"""
    SELECT {COLUMNS} FROM memory_record AS record
    WHERE tenant_id = %s AND namespace = %s AND id > %s
      AND NOT EXISTS (SELECT FROM memory_passage WHERE record_id = record.id)
    ORDER BY id LIMIT %s
"""
STILL = """
    SELECT id FROM memory_record AS record
    JOIN unnest(%s::uuid[], %s::text[]) AS seen (record_id, hash) ON id = seen.record_id
    WHERE tenant_id = %s AND content_hash = seen.hash
      AND NOT EXISTS (SELECT FROM memory_passage WHERE record_id = record.id)
"""
OWED = """
    WITH seen AS MATERIALIZED (
        SELECT id, tenant_id, namespace FROM memory_record WHERE id > %(after)s ORDER BY id LIMIT %(limit)s
    )
    SELECT tenant_id, namespace, NULL::uuid FROM seen
    WHERE NOT EXISTS (SELECT FROM memory_passage WHERE record_id = seen.id)
    GROUP BY tenant_id, namespace
    UNION ALL
    (SELECT NULL, NULL, id FROM seen ORDER BY id DESC LIMIT 1)
"""
NOTHING = UUID(int=0)


def unanalysed_records(
    cursor: CursorWrapper, tenant_id: UUID, namespace: str, after: UUID | None, limit: int
) -> list[MemoryRecord]:
    """See PassageStore.unanalysed."""
    cursor.execute(UNANALYSED, [tenant_id, namespace, after or NOTHING, limit])
    return [found(*row) for row in cursor.fetchall()]


def owed_places(cursor: CursorWrapper, after: UUID, limit: int) -> Owed:
    """See PassageStore.owed."""
    cursor.execute(OWED, {"after": after, "limit": limit})
    rows = cursor.fetchall()
    return Owed(
        places=tuple((tenant_id, namespace) for tenant_id, namespace, _ in rows if tenant_id is not None),
        after=next((last for _, _, last in rows if last is not None), None),
    )


def standing_records(cursor: CursorWrapper, tenant_id: UUID, records: Sequence[MemoryRecord]) -> set[UUID]:
    """The ids of those of `records` that still stand with the same content and have no passage."""
    ids, hashes = [record.id for record in records], [record.content_hash for record in records]
    cursor.execute(STILL, [ids, hashes, tenant_id])
    return {record_id for (record_id,) in cursor.fetchall()}
