"""Storing a batch of memories."""

from collections.abc import Collection, Sequence
from uuid import UUID

from soma.fractalmemory.domain.record import IndexedRecord
from soma.fractalmemory.domain.upsert import Outcome, Upserted
from soma.fractalmemory.domain.usage import TENANT, Quotas
from soma.fractalmemory.errors import QuotaExceeded, WrongDimensions
from soma.fractalmemory.ports import VectorStore

UNLIMITED = Quotas()
WRITTEN = frozenset({Outcome.STORED, Outcome.UPDATED})


def store_records(
    store: VectorStore, tenant_id: UUID, batch: Sequence[IndexedRecord], quotas: Quotas = UNLIMITED
) -> list[Upserted]:
    """Store `batch`; see FractalMemory.upsert."""
    for indexed in batch:
        check_dimensions(store, indexed.vector.shape)
    upserted = store.upsert(tenant_id, batch) if batch else []
    grown = {each.namespace for each in upserted if each.outcome in WRITTEN}
    if grown and quotas.limited:
        _check_quotas(store, tenant_id, grown, quotas)
    return upserted


def _check_quotas(store: VectorStore, tenant_id: UUID, grown: Collection[str], quotas: Quotas) -> None:
    usage = store.usage(tenant_id, [*sorted(grown), TENANT])
    for name, used in usage.items():
        exceeded = quotas.exceeded(name, used)
        if exceeded is not None:
            raise QuotaExceeded(exceeded)


def check_dimensions(store: VectorStore, shape: tuple[int, ...]) -> None:
    """Raise WrongDimensions unless `shape` is that of one vector of `store`."""
    if shape != (store.dimensions,):
        raise WrongDimensions(f"The store keeps vectors of shape ({store.dimensions},), this one has {shape}")
