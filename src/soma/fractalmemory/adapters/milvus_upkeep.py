"""Keeping a collection in Milvus to the memories of a tenant."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from soma.base.canonical import json_value
from soma.fractalmemory.adapters.deadline import Deadline
from soma.fractalmemory.adapters.milvus_collection import MilvusCollection
from soma.fractalmemory.adapters.milvus_schema import Vector
from soma.fractalmemory.adapters.milvus_terms import of_vector_key, vector_key
from soma.fractalmemory.adapters.nearest_rows import unindexed
from soma.fractalmemory.adapters.record_columns import vector_of
from soma.fractalmemory.domain.reconciled import Reconciled

WAITING = """
    SELECT id, written_at, occurred_at, provenance::text, embedding::text FROM memory_record
    WHERE id IN (SELECT id FROM ({unindexed}) AS waiting LIMIT %(limit)s) FOR NO KEY UPDATE SKIP LOCKED
"""
"""Locked, so that nobody deletes a memory while its vector is on its way."""

NOTE = "UPDATE memory_record SET indexed_by = %s WHERE tenant_id = %s AND id = ANY(%s)"
OWED = """
    SELECT id, record_id, written_at FROM memory_vector_removal
    WHERE tenant_id = %s AND indexed_by = %s LIMIT %s FOR UPDATE SKIP LOCKED
"""
SETTLE = "DELETE FROM memory_vector_removal WHERE tenant_id = %s AND id = ANY(%s)"
INDEXED = """
    SELECT id, written_at FROM memory_record
    WHERE tenant_id = %s AND indexed_by = %s AND id > %s ORDER BY id LIMIT %s
"""
STANDING = "SELECT id, written_at FROM memory_record WHERE tenant_id = %s AND id = ANY(%s)"

START = f"memories/{UUID(int=0)}"
"""Where a comparison begins: with the memories that should be in Milvus; then come the vectors that are."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MilvusUpkeep:
    """What is done to `collection`, whose identity is `identity`, for one tenant in one transaction."""

    cursor: CursorWrapper
    collection: MilvusCollection
    identity: UUID
    tenant_id: UUID
    deadline: Deadline

    def send(self, namespace: str, limit: int) -> int:
        """Write the vectors of memories that are not there yet; how many."""
        statement = WAITING.format(unindexed=unindexed("id", self.identity))
        self.cursor.execute(statement, {"tenant": self.tenant_id, "namespace": namespace, "limit": limit})
        vectors = [_vector(self.tenant_id, namespace, *row) for row in self.cursor.fetchall()]
        if vectors:
            self.collection.upsert(vectors, self.deadline)
            self._note(self.identity, [vector.record_id for vector in vectors])
        return len(vectors)

    def remove_owed(self, limit: int) -> int:
        """Remove the vectors of states that are gone; how many."""
        self.cursor.execute(OWED, [self.tenant_id, self.identity, limit])
        owed = self.cursor.fetchall()
        if owed:
            self.collection.remove([vector_key(*state) for _, *state in owed], self.deadline)
            self.cursor.execute(SETTLE, [self.tenant_id, [row_id for row_id, *_ in owed]])
        return len(owed)

    def reconcile(self, place: str, limit: int) -> Reconciled:
        """One step of comparing, from `place` on."""
        part, _, after = place.partition("/")
        return self._find_lost(UUID(after), limit) if part == "memories" else self._sweep(after, limit)

    def _find_lost(self, after: UUID, limit: int) -> Reconciled:
        self.cursor.execute(INDEXED, [self.tenant_id, self.identity, after, limit])
        states = {vector_key(*row): row[0] for row in self.cursor.fetchall()}
        if not states:
            return Reconciled(lost=0, orphaned=0, cursor="vectors/")
        present = self.collection.present(list(states), self.deadline)
        lost = [record_id for key, record_id in states.items() if key not in present]
        if lost:
            self._note(None, lost)
        return Reconciled(lost=len(lost), orphaned=0, cursor=f"memories/{max(states.values())}")

    def _sweep(self, after: str, limit: int) -> Reconciled:
        keys = self.collection.keys(self.tenant_id, after, limit, self.deadline)
        if not keys:
            return Reconciled(lost=0, orphaned=0, cursor=None)
        ids = [of_vector_key(key)[0] for key in keys]
        self.cursor.execute(STANDING, [self.tenant_id, ids])
        standing = {vector_key(*row) for row in self.cursor.fetchall()}
        orphans = [key for key in keys if key not in standing]
        if orphans:
            self.collection.remove(orphans, self.deadline)
        return Reconciled(lost=0, orphaned=len(orphans), cursor=f"vectors/{keys[-1]}")

    def _note(self, identity: UUID | None, ids: list[UUID]) -> None:
        self.cursor.execute(NOTE, [identity, self.tenant_id, ids])


def _vector(tenant_id: UUID, namespace: str, *row: Any) -> Vector:
    record_id, written_at, occurred_at, provenance, embedding = row
    return Vector(
        tenant_id=tenant_id,
        record_id=record_id,
        written_at=written_at,
        namespace=namespace,
        occurred_at=occurred_at,
        provenance=json_value(provenance),
        values=vector_of(embedding),
    )
