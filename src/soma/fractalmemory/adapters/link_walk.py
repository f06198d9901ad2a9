"""Going along links, hop by hop."""

from typing import Any
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from soma.fractalmemory.adapters.conditions import query_conditions
from soma.fractalmemory.adapters.link_columns import COLUMNS, link_of
from soma.fractalmemory.adapters.text_array import array_of
from soma.fractalmemory.domain.link import Link, LinkKey
from soma.fractalmemory.domain.walk import Walk

HOP = """
    SELECT near.*
    FROM unnest(%(ids)s::text::uuid[]) AS asked (id) CROSS JOIN LATERAL (
        SELECT beside.* FROM (
            SELECT target_id AS reached, {columns}
            FROM memory_link WHERE tenant_id = %(tenant)s AND source_id = asked.id AND target_id <> asked.id
            UNION ALL
            SELECT source_id, {columns}
            FROM memory_link WHERE tenant_id = %(tenant)s AND target_id = asked.id AND source_id <> asked.id
        ) AS beside
        WHERE EXISTS (
            SELECT FROM memory_record
            WHERE id = beside.reached AND tenant_id = %(tenant)s AND namespace = %(namespace)s{conditions}
        )
        ORDER BY beside.conductance DESC, beside.source_id, beside.target_id, beside.kind
        LIMIT %(fanout)s
    ) AS near
    ORDER BY near.conductance DESC, near.source_id, near.target_id, near.kind
"""
"""SQL, because the ORM has no lateral joins: a limit for each memory of its own."""


def walk_links(cursor: CursorWrapper, tenant_id: UUID, walk: Walk) -> list[Link]:
    """See LinkStore.walk."""
    conditions, values = ("", {}) if walk.within is None else query_conditions(walk.within)
    statement = HOP.format(columns=COLUMNS, conditions=conditions)
    values |= {"tenant": tenant_id, "namespace": walk.namespace, "at": walk.at, "fanout": walk.fanout}
    known, links, frontier = set(walk.seeds), dict[LinkKey, Link](), list(walk.seeds)
    for _ in range(walk.hops):
        if not frontier:
            break
        cursor.execute(statement, values | {"ids": array_of(each.hex for each in frontier)})
        frontier = _taken(cursor.fetchall(), walk.limit, known, links)
    return list(links.values())


def _taken(
    rows: list[tuple[Any, ...]], limit: int, known: set[UUID], links: dict[LinkKey, Link]
) -> list[UUID]:
    """Take in what a hop has found, best first; the memories that it reached for the first time."""
    new: list[UUID] = []
    for reached, *columns in rows:
        if reached not in known:
            if len(known) >= limit:
                continue
            known.add(reached)
            new.append(reached)
        link = link_of(*columns)
        links[link.key] = link
    return new
