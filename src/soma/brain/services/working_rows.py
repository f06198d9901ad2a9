"""Working memory in PostgreSQL, inside the tenant's open transaction.

SQL, because every turn reads and writes it; with the ORM it takes five times as long to write the statements
as the server takes to run them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from django.db import connections
from numpy.typing import NDArray

from soma.base.canonical import json_value
from soma.base.database import APP
from soma.brain.domain.working import Place, WorkingItem

BEGIN = """
    INSERT INTO working_memory (tenant_id, conversation_id, turns, last_turn_id) VALUES (%s, %s, 1, %s)
    ON CONFLICT (tenant_id, conversation_id) DO UPDATE
    SET turns = working_memory.turns + 1, last_turn_id = excluded.last_turn_id
    WHERE working_memory.last_turn_id <> excluded.last_turn_id
    RETURNING turns, (
        SELECT before FROM forgotten_conversation
        WHERE tenant_id = working_memory.tenant_id AND conversation_id = working_memory.conversation_id
    )
"""
"""Counts the turn, unless it was counted, and locks the conversation's working memory. Tells up to when
everything of the conversation is forgotten."""

LOCK = """
    SELECT turns FROM working_memory WHERE tenant_id = %s AND conversation_id = ANY(%s::uuid[])
    ORDER BY conversation_id FOR UPDATE
"""
PLACES = """
    SELECT id, salience, last_use, coalesce(record_id, id), content_hash FROM working_item
    WHERE tenant_id = %s AND conversation_id = %s ORDER BY turn, id
"""
ITEMS = """
    SELECT id, namespace, key, content, role, speaker, occurred_at, importance, provenance::text, salience,
           turn, last_use, record_id, vector
    FROM working_item WHERE tenant_id = %s AND conversation_id = %s ORDER BY turn, id
"""
EVICT = "DELETE FROM working_item WHERE tenant_id = %s AND conversation_id = %s AND id = ANY(%s::uuid[])"
USE = """
    UPDATE working_item SET last_use = %s
    WHERE tenant_id = %s AND conversation_id = %s AND id = ANY(%s::uuid[])
"""
CONSOLIDATE = """
    UPDATE working_item SET record_id = %s, vector = %s
    WHERE tenant_id = %s AND conversation_id = %s AND id = %s
"""
HOLDERS = """
    SELECT DISTINCT conversation_id FROM working_item
    WHERE tenant_id = %s AND (id = ANY(%s::uuid[]) OR record_id = ANY(%s::uuid[]))
"""
REMOVE = """
    DELETE FROM working_item WHERE tenant_id = %s AND (id = ANY(%s::uuid[]) OR record_id = ANY(%s::uuid[]))
    RETURNING id, record_id
"""
NAMED = """
    SELECT id, record_id, namespace FROM working_item
    WHERE tenant_id = %s AND (id = ANY(%s::uuid[]) OR record_id = ANY(%s::uuid[]))
"""
UNCONSOLIDATED = """
    SELECT id FROM working_item
    WHERE tenant_id = %s AND namespace = %s AND record_id IS NULL
      AND occurred_at < coalesce(%s::timestamptz, 'infinity')
"""


def begin_turn(tenant_id: UUID, conversation_id: UUID, turn_id: UUID) -> tuple[int, datetime | None] | None:
    """The number of the turn, from 1, and up to when the conversation is forgotten; None if the turn was the
    last one counted."""
    rows = _rows(BEGIN, [tenant_id, conversation_id, turn_id])
    return (rows[0][0], rows[0][1]) if rows else None


def lock(tenant_id: UUID, conversations: Sequence[UUID]) -> None:
    """Keep others from changing these working memories until the transaction ends."""
    _rows(LOCK, [tenant_id, list(conversations)])


def places(tenant_id: UUID, conversation_id: UUID) -> list[tuple[Place, UUID, str]]:
    """Each place, oldest first, with what its item is called where it is shown, and its content's hash."""
    return [
        (Place(id=item_id, salience=salience, last_use=last_use), known_id, content_hash)
        for item_id, salience, last_use, known_id, content_hash in _rows(PLACES, [tenant_id, conversation_id])
    ]


def items(tenant_id: UUID, conversation_id: UUID) -> tuple[WorkingItem, ...]:
    """What the conversation has at hand, oldest first."""
    return tuple(_item(*row) for row in _rows(ITEMS, [tenant_id, conversation_id]))


def evict(tenant_id: UUID, conversation_id: UUID, ids: Sequence[UUID]) -> None:
    """Remove these items."""
    _execute(EVICT, [tenant_id, conversation_id, list(ids)])


def use(tenant_id: UUID, conversation_id: UUID, ids: Sequence[UUID], turn: int) -> None:
    """Note that these items were of use in `turn`."""
    _execute(USE, [turn, tenant_id, conversation_id, list(ids)])


def consolidated(
    tenant_id: UUID, conversation_id: UUID, kept: Mapping[UUID, tuple[UUID, NDArray[np.float32]]]
) -> None:
    """Note of items, by id, which memories they are now, and their vectors."""
    for item_id, (record_id, vector) in sorted(kept.items()):
        values = [record_id, vector.astype("<f4").tobytes(), tenant_id, conversation_id, item_id]
        _execute(CONSOLIDATE, values)


def holders(tenant_id: UUID, ids: Sequence[UUID]) -> list[UUID]:
    """The conversations that have any of these memories at hand."""
    return [row[0] for row in _rows(HOLDERS, [tenant_id, list(ids), list(ids)])]


def named(tenant_id: UUID, ids: Sequence[UUID]) -> dict[UUID, str]:
    """The namespaces of those of `ids` that name something at hand, as item or as memory."""
    rows = _rows(NAMED, [tenant_id, list(ids), list(ids)])
    found = {name: namespace for *names, namespace in rows for name in names}
    return {each: found[each] for each in ids if each in found}


def unconsolidated(tenant_id: UUID, namespace: str, before: datetime | None) -> list[UUID]:
    """What of a namespace is at hand somewhere and in long-term memory not yet, told before a moment."""
    return [row[0] for row in _rows(UNCONSOLIDATED, [tenant_id, namespace, before])]


def remove(tenant_id: UUID, ids: Sequence[UUID]) -> list[tuple[UUID, UUID | None]]:
    """Remove what these ids name, as item or as memory; the ids of both of each that was there."""
    return [(row[0], row[1]) for row in _rows(REMOVE, [tenant_id, list(ids), list(ids)])]


def _item(*row: Any) -> WorkingItem:
    *known, provenance, salience, turn, last_use, record_id, vector = row
    item_id, namespace, key, content, role, speaker, occurred_at, importance = known
    return WorkingItem(
        id=item_id,
        namespace=namespace,
        key=key,
        content=content,
        role=role,
        speaker=speaker,
        occurred_at=occurred_at,
        importance=importance,
        provenance=json_value(provenance),
        salience=salience,
        turn=turn,
        last_use=last_use,
        record_id=record_id,
        vector=None if vector is None else np.frombuffer(vector, "<f4"),
    )


def _execute(statement: str, values: Sequence[Any]) -> None:
    with connections[APP].cursor() as cursor:
        cursor.execute(statement, values)


def _rows(statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connections[APP].cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
