"""Keeping the links of a memory to as many as it may have."""

# ruff: noqa: S608 - statements are put together from pieces of ours; every value has its place

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from soma.fractalmemory.adapters.link_columns import CONDUCTANCE
from soma.fractalmemory.domain.link import MAX_LINKS, USED_TOGETHER, LinkKey

TRIM = f"""
    DELETE FROM memory_link WHERE tenant_id = %(tenant)s AND id IN (
        SELECT ranked.id FROM (
            SELECT own.id, row_number() OVER (
                PARTITION BY touched.id ORDER BY own.kind = %(used)s, own.conductance DESC, own.id
            ) AS place
            FROM unnest(%(ids)s::uuid[]) AS touched (id) CROSS JOIN LATERAL (
                SELECT id, kind, {CONDUCTANCE} AS conductance FROM memory_link
                WHERE tenant_id = %(tenant)s AND (source_id = touched.id OR target_id = touched.id)
            ) AS own
        ) AS ranked WHERE ranked.place > %(most)s
    )
"""
"""The weakest go, those that usage made before all others."""

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 2))"
"""One writer of a tenant's links at a time, until commit: what a use computes from them must still hold when
it is written, and two that add links must not both find room."""

MADE_BY_HAND = """
    SELECT count(*) FROM memory_link
    WHERE tenant_id = %(tenant)s AND (source_id = %(id)s OR target_id = %(id)s) AND kind <> %(used)s
      AND (source_id, target_id, kind) <> (%(source)s, %(target)s, %(kind)s)
"""


def lock_links(cursor: CursorWrapper, tenant_id: UUID) -> None:
    """Wait until this transaction is the only one that writes links of the tenant."""
    cursor.execute(LOCK, [str(tenant_id)])


def trim(cursor: CursorWrapper, tenant_id: UUID, ids: Collection[UUID], at: datetime) -> int:
    """Remove what the memories `ids` have more than they may; how many links."""
    places: dict[str, Any] = {
        "tenant": tenant_id,
        "ids": sorted(ids),
        "at": at,
        "used": USED_TOGETHER,
        "most": MAX_LINKS,
    }
    cursor.execute(TRIM, places)
    return int(cursor.rowcount)


def made_by_hand(cursor: CursorWrapper, tenant_id: UUID, record_id: UUID, beside: LinkKey) -> int:
    """How many links of the memory somebody made, `beside` left out."""
    places: dict[str, Any] = {
        "tenant": tenant_id,
        "id": record_id,
        "used": USED_TOGETHER,
        "source": beside.source_id,
        "target": beside.target_id,
        "kind": beside.kind,
    }
    cursor.execute(MADE_BY_HAND, places)
    [(count,)] = cursor.fetchall()
    return int(count)
