"""Links between memories in PostgreSQL."""

# ruff: noqa: S608 - statements are put together from pieces of ours; every value has its place

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connections

from soma.base.clock import now
from soma.base.database import APP
from soma.base.ids import new_id
from soma.fractalmemory.adapters.availability import postgres_answers
from soma.fractalmemory.adapters.link_columns import COLUMNS, CONDUCTANCE, key_places, link_of
from soma.fractalmemory.adapters.link_room import lock_links, made_by_hand, trim
from soma.fractalmemory.adapters.link_walk import walk_links
from soma.fractalmemory.domain.link import KindCount, Link, LinkKey, Neighbour
from soma.fractalmemory.domain.walk import Walk

LINK = """
    INSERT INTO memory_link (id, tenant_id, source_id, target_id, kind, conductance, rest, flow, created_at,
                             settled_at)
    SELECT wanted.id, %(tenant)s, wanted.source_id, wanted.target_id, wanted.kind, wanted.conductance,
           wanted.rest, wanted.flow, wanted.created_at, %(at)s
    FROM unnest(%(ids)s::uuid[], %(sources)s::uuid[], %(targets)s::uuid[], %(kinds)s::text[],
                %(conductances)s::float8[], %(rests)s::float8[], %(flows)s::float8[],
                %(times)s::timestamptz[])
         AS wanted (id, source_id, target_id, kind, conductance, rest, flow, created_at)
    JOIN memory_record AS source ON source.id = wanted.source_id AND source.tenant_id = %(tenant)s
    JOIN memory_record AS target ON target.id = wanted.target_id AND target.tenant_id = %(tenant)s
    ORDER BY wanted.source_id, wanted.target_id, wanted.kind
    ON CONFLICT (source_id, target_id, kind) DO UPDATE
    SET conductance = excluded.conductance, rest = excluded.rest, flow = excluded.flow,
        settled_at = excluded.settled_at
"""
"""Joined with the memories, because foreign keys see past row-level security: a link to another tenant's
memory would tell that it exists."""

UNLINK = """
    DELETE FROM memory_link USING unnest(%(sources)s::uuid[], %(targets)s::uuid[], %(kinds)s::text[])
                                  AS unwanted (source_id, target_id, kind)
    WHERE tenant_id = %(tenant)s AND memory_link.source_id = unwanted.source_id
      AND memory_link.target_id = unwanted.target_id AND memory_link.kind = unwanted.kind
"""
SETTLE = """
    UPDATE memory_link
    SET conductance = used.conductance, flow = used.flow, settled_at = greatest(settled_at, %(at)s)
    FROM unnest(%(sources)s::uuid[], %(targets)s::uuid[], %(kinds)s::text[], %(conductances)s::float8[],
                %(flows)s::float8[]) AS used (source_id, target_id, kind, conductance, flow)
    WHERE tenant_id = %(tenant)s AND memory_link.source_id = used.source_id
      AND memory_link.target_id = used.target_id AND memory_link.kind = used.kind
"""
TAKE_IN = """
    INSERT INTO memory_link_use (tenant_id, key, used_at) VALUES (%s, %s, %s)
    ON CONFLICT (tenant_id, key) DO NOTHING
"""
"""SQL, because the ORM does not tell whether an insert that may be ignored took place."""

NEIGHBOURS = f"""
    SELECT asked.id, near.record_id, near.kind, near.conductance, near.outgoing
    FROM unnest(%(ids)s::uuid[]) AS asked (id) CROSS JOIN LATERAL (
        SELECT target_id AS record_id, kind, {CONDUCTANCE} AS conductance, true AS outgoing
        FROM memory_link WHERE tenant_id = %(tenant)s AND source_id = asked.id
        UNION ALL
        SELECT source_id, kind, {CONDUCTANCE}, false
        FROM memory_link WHERE tenant_id = %(tenant)s AND target_id = asked.id AND source_id <> asked.id
        ORDER BY conductance DESC, record_id, kind LIMIT %(limit)s
    ) AS near
"""
OUTGOING = f"""
    SELECT {COLUMNS} FROM memory_link
    WHERE tenant_id = %(tenant)s AND source_id = ANY(%(ids)s) ORDER BY source_id, target_id, kind
"""
KINDS = f"""
    SELECT kind, count(*), sum({CONDUCTANCE}) FROM memory_link
    WHERE tenant_id = %(tenant)s AND source_id IN (
        SELECT id FROM memory_record WHERE tenant_id = %(tenant)s AND namespace = %(namespace)s
    )
    GROUP BY kind ORDER BY kind
"""


class PostgresLinkStore:
    """LinkStore on the table `memory_link`."""

    def __init__(self, *, using: str = APP) -> None:
        self._using = using

    def link(self, tenant_id: UUID, links: Sequence[Link], at: datetime | None = None) -> int:
        """See LinkStore."""
        moment = at or now()
        last = {link.key: link for link in links}  # a statement may not write one row twice
        places = key_places(tenant_id, list(last)) | {
            "at": moment,
            "ids": [new_id() for _ in last],
            "conductances": [link.conductance for link in last.values()],
            "rests": [link.resting for link in last.values()],
            "flows": [link.flow for link in last.values()],
            "times": [link.created_at for link in last.values()],
        }
        with postgres_answers(), connections[self._using].cursor() as cursor:
            lock_links(cursor, tenant_id)
            cursor.execute(LINK, places)
            stored = int(cursor.rowcount)
            trim(cursor, tenant_id, {*places["sources"], *places["targets"]}, moment)
            return stored

    def unlink(self, tenant_id: UUID, keys: Sequence[LinkKey]) -> int:
        """See LinkStore."""
        with postgres_answers(), connections[self._using].cursor() as cursor:
            lock_links(cursor, tenant_id)
            cursor.execute(UNLINK, key_places(tenant_id, keys))
            return int(cursor.rowcount)

    def take_in(self, tenant_id: UUID, use: str, at: datetime) -> bool:
        """See LinkStore."""
        with postgres_answers(), connections[self._using].cursor() as cursor:
            lock_links(cursor, tenant_id)
            cursor.execute(TAKE_IN, [tenant_id, use, at])
            return bool(cursor.rowcount)

    def settle(self, tenant_id: UUID, links: Sequence[Link], at: datetime) -> None:
        """See LinkStore."""
        places = key_places(tenant_id, [link.key for link in links]) | {
            "at": at,
            "conductances": [link.conductance for link in links],
            "flows": [link.flow for link in links],
        }
        with postgres_answers(), connections[self._using].cursor() as cursor:
            cursor.execute(SETTLE, places)

    def made_by_hand(self, tenant_id: UUID, record_id: UUID, beside: LinkKey) -> int:
        """See LinkStore."""
        with postgres_answers(), connections[self._using].cursor() as cursor:
            lock_links(cursor, tenant_id)
            return made_by_hand(cursor, tenant_id, record_id, beside)

    def walk(self, tenant_id: UUID, walk: Walk) -> list[Link]:
        """See LinkStore."""
        with postgres_answers(), connections[self._using].cursor() as cursor:
            return walk_links(cursor, tenant_id, walk)

    def neighbours(
        self, tenant_id: UUID, ids: Sequence[UUID], limit: int, at: datetime | None = None
    ) -> list[Neighbour]:
        """See LinkStore."""
        places = {"tenant": tenant_id, "ids": list(ids), "limit": limit, "at": at or now()}
        return [
            Neighbour(of=of, record_id=record_id, kind=kind, conductance=conductance, outgoing=outgoing)
            for of, record_id, kind, conductance, outgoing in self._rows(NEIGHBOURS, places)
        ]

    def outgoing(self, tenant_id: UUID, ids: Sequence[UUID]) -> list[Link]:
        """See LinkStore."""
        rows = self._rows(OUTGOING, {"tenant": tenant_id, "ids": list(ids), "at": now()})
        return [link_of(*row) for row in rows]

    def kinds(self, tenant_id: UUID, namespace: str, at: datetime) -> list[KindCount]:
        """See LinkStore."""
        rows = self._rows(KINDS, {"tenant": tenant_id, "namespace": namespace, "at": at})
        return [KindCount(kind=kind, links=links, conductance=total) for kind, links, total in rows]

    def _rows(self, statement: str, places: dict[str, Any]) -> list[tuple[Any, ...]]:
        with postgres_answers(), connections[self._using].cursor() as cursor:
            cursor.execute(statement, places)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows
