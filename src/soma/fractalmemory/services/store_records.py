"""Storing a batch of memories."""

from collections.abc import Sequence
from uuid import UUID

from soma.fractalmemory.domain.record import IndexedRecord
from soma.fractalmemory.domain.upsert import Upserted
from soma.fractalmemory.errors import WrongDimensions
from soma.fractalmemory.ports import VectorStore


def store_records(store: VectorStore, tenant_id: UUID, batch: Sequence[IndexedRecord]) -> list[Upserted]:
    """Store `batch`; see FractalMemory.upsert."""
    for indexed in batch:
        check_dimensions(store, indexed.vector.shape)
    return store.upsert(tenant_id, batch) if batch else []


def check_dimensions(store: VectorStore, shape: tuple[int, ...]) -> None:
    """Raise WrongDimensions unless `shape` is that of one vector of `store`."""
    if shape != (store.dimensions,):
        raise WrongDimensions(f"The store keeps vectors of shape ({store.dimensions},), this one has {shape}")
