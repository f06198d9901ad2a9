"""The public face of storage: memories and their vectors, per tenant. The brain is its only caller."""

from collections.abc import Sequence
from uuid import UUID

from soma.fractalmemory.domain.query import VectorQuery
from soma.fractalmemory.domain.record import IndexedRecord, MemoryRecord, ScoredRecord, content_hash
from soma.fractalmemory.domain.upsert import Outcome, Upserted
from soma.fractalmemory.errors import FractalMemoryError, StoreUnavailable, WrongDimensions
from soma.fractalmemory.ports import VectorStore
from soma.fractalmemory.services.search_records import search_records
from soma.fractalmemory.services.store_records import store_records

__all__ = [
    "FractalMemory",
    "FractalMemoryError",
    "IndexedRecord",
    "MemoryRecord",
    "Outcome",
    "ScoredRecord",
    "StoreUnavailable",
    "Upserted",
    "VectorQuery",
    "VectorStore",
    "WrongDimensions",
    "content_hash",
]


class FractalMemory:
    """Memories behind whichever store was configured.

    Call every method inside the tenant's open transaction (`soma.base.database.tenant_transaction`).
    All raise StoreUnavailable when the store does not answer.
    """

    def __init__(self, store: VectorStore) -> None:
        self._store = store

    @property
    def dimensions(self) -> int:
        """The length of the vectors kept."""
        return self._store.dimensions

    def upsert(self, tenant_id: UUID, batch: Sequence[IndexedRecord]) -> list[Upserted]:
        """Store `batch`, all or nothing, and say in its order what became of each memory: a known key is
        rewritten, a new key whose content already stands in the namespace is a duplicate and not stored.
        Raises WrongDimensions."""
        return store_records(self._store, tenant_id, batch)

    def search(self, tenant_id: UUID, query: VectorQuery) -> list[ScoredRecord]:
        """The memories nearest to the query, nearest first. Raises WrongDimensions."""
        return search_records(self._store, tenant_id, query)

    def get(self, tenant_id: UUID, ids: Sequence[UUID]) -> list[MemoryRecord]:
        """Those of `ids` that there are, in no order."""
        return self._store.get(tenant_id, ids)

    def delete(self, tenant_id: UUID, ids: Sequence[UUID]) -> int:
        """Remove those of `ids` that there are, for good; how many there were."""
        return self._store.delete(tenant_id, ids)

    def count(self, tenant_id: UUID, namespace: str) -> int:
        """How many memories `namespace` holds."""
        return self._store.count(tenant_id, namespace)
