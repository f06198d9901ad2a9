"""What storage needs from a technology."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from soma.fractalmemory.domain.query import VectorQuery
from soma.fractalmemory.domain.record import IndexedRecord, MemoryRecord, ScoredRecord
from soma.fractalmemory.domain.upsert import Upserted


class VectorStore(Protocol):
    """Memories with their vectors. No method sees or touches another tenant's, whatever ids it is given.

    Every method is called with the tenant's transaction open, and raises StoreUnavailable when the
    store does not answer.
    """

    @property
    def dimensions(self) -> int:
        """The length of the vectors it keeps."""

    def upsert(self, tenant_id: UUID, batch: Sequence[IndexedRecord]) -> list[Upserted]:
        """Store `batch` by the rule of UpsertPlan; the outcomes are in its order. All of it or nothing."""

    def search(self, tenant_id: UUID, query: VectorQuery) -> list[ScoredRecord]:
        """The nearest memories, nearest first; as many as `query.limit` wherever the tenant has so many."""

    def get(self, tenant_id: UUID, ids: Sequence[UUID]) -> list[MemoryRecord]:
        """Those of `ids` that there are, in no order."""

    def delete(self, tenant_id: UUID, ids: Sequence[UUID]) -> int:
        """Remove those of `ids` that there are, content and vector; how many there were."""

    def count(self, tenant_id: UUID, namespace: str) -> int:
        """How many memories `namespace` holds."""
