"""Links between memories in PostgreSQL."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connections

from soma.base.database import APP
from soma.base.ids import new_id
from soma.fractalmemory.adapters.availability import postgres_answers
from soma.fractalmemory.domain.link import Link, LinkKey, Neighbour

LINK = """
    INSERT INTO memory_link (id, tenant_id, source_id, target_id, kind, conductance, created_at)
    SELECT wanted.id, %(tenant)s, wanted.source_id, wanted.target_id, wanted.kind, wanted.conductance,
           wanted.created_at
    FROM unnest(%(ids)s::uuid[], %(sources)s::uuid[], %(targets)s::uuid[], %(kinds)s::text[],
                %(conductances)s::float8[], %(times)s::timestamptz[])
         AS wanted (id, source_id, target_id, kind, conductance, created_at)
    JOIN memory_record AS source ON source.id = wanted.source_id AND source.tenant_id = %(tenant)s
    JOIN memory_record AS target ON target.id = wanted.target_id AND target.tenant_id = %(tenant)s
    ORDER BY wanted.source_id, wanted.target_id, wanted.kind
    ON CONFLICT (source_id, target_id, kind) DO UPDATE SET conductance = excluded.conductance
"""
"""Joined with the memories, because foreign keys see past row-level security: a link to another tenant's
memory would tell that it exists. In one order, so that two who link the same do not wait for each other."""

UNLINK = """
    DELETE FROM memory_link USING unnest(%(sources)s::uuid[], %(targets)s::uuid[], %(kinds)s::text[])
                                  AS unwanted (source_id, target_id, kind)
    WHERE tenant_id = %(tenant)s AND memory_link.source_id = unwanted.source_id
      AND memory_link.target_id = unwanted.target_id AND memory_link.kind = unwanted.kind
"""
NEIGHBOURS = """
    SELECT asked.id, near.record_id, near.kind, near.conductance, near.outgoing
    FROM unnest(%(ids)s::uuid[]) AS asked (id) CROSS JOIN LATERAL (
        SELECT target_id AS record_id, kind, conductance, true AS outgoing
        FROM memory_link WHERE tenant_id = %(tenant)s AND source_id = asked.id
        UNION ALL
        SELECT source_id, kind, conductance, false
        FROM memory_link WHERE tenant_id = %(tenant)s AND target_id = asked.id AND source_id <> asked.id
        ORDER BY conductance DESC, record_id, kind LIMIT %(limit)s
    ) AS near
"""
OUTGOING = """
    SELECT source_id, target_id, kind, conductance, created_at FROM memory_link
    WHERE tenant_id = %(tenant)s AND source_id = ANY(%(ids)s) ORDER BY source_id, target_id, kind
"""


class PostgresLinkStore:
    """LinkStore on the table `memory_link`."""

    def __init__(self, *, using: str = APP) -> None:
        self._using = using

    def link(self, tenant_id: UUID, links: Sequence[Link]) -> int:
        """See LinkStore."""
        last = {link.key: link for link in links}  # a statement may not write one row twice
        places = _keys(tenant_id, list(last)) | {
            "ids": [new_id() for _ in last],
            "conductances": [link.conductance for link in last.values()],
            "times": [link.created_at for link in last.values()],
        }
        return self._count(LINK, places)

    def unlink(self, tenant_id: UUID, keys: Sequence[LinkKey]) -> int:
        """See LinkStore."""
        return self._count(UNLINK, _keys(tenant_id, keys))

    def neighbours(self, tenant_id: UUID, ids: Sequence[UUID], limit: int) -> list[Neighbour]:
        """See LinkStore."""
        rows = self._rows(NEIGHBOURS, {"tenant": tenant_id, "ids": list(ids), "limit": limit})
        return [
            Neighbour(of=of, record_id=record_id, kind=kind, conductance=conductance, outgoing=outgoing)
            for of, record_id, kind, conductance, outgoing in rows
        ]

    def outgoing(self, tenant_id: UUID, ids: Sequence[UUID]) -> list[Link]:
        """See LinkStore."""
        rows = self._rows(OUTGOING, {"tenant": tenant_id, "ids": list(ids)})
        return [
            Link(
                key=LinkKey(source_id=source, target_id=target, kind=kind),
                conductance=conductance,
                created_at=created_at,
            )
            for source, target, kind, conductance, created_at in rows
        ]

    def _count(self, statement: str, places: dict[str, Any]) -> int:
        with postgres_answers(), connections[self._using].cursor() as cursor:
            cursor.execute(statement, places)
            return int(cursor.rowcount)

    def _rows(self, statement: str, places: dict[str, Any]) -> list[tuple[Any, ...]]:
        with postgres_answers(), connections[self._using].cursor() as cursor:
            cursor.execute(statement, places)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows


def _keys(tenant_id: UUID, keys: Sequence[LinkKey]) -> dict[str, Any]:
    return {
        "tenant": tenant_id,
        "sources": [key.source_id for key in keys],
        "targets": [key.target_id for key in keys],
        "kinds": [key.kind for key in keys],
    }
