"""Searching memories by vector."""

from uuid import UUID

from soma.fractalmemory.domain.query import VectorQuery
from soma.fractalmemory.domain.record import ScoredRecord
from soma.fractalmemory.ports import VectorStore
from soma.fractalmemory.services.store_records import check_dimensions


def search_records(store: VectorStore, tenant_id: UUID, query: VectorQuery) -> list[ScoredRecord]:
    """The memories nearest to the query; see FractalMemory.search."""
    check_dimensions(store, query.vector.shape)
    return store.search(tenant_id, query) if query.limit > 0 else []
