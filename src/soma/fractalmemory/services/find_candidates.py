"""Finding what may answer a question."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from uuid import UUID

from soma.base.errors import InvalidInput
from soma.fractalmemory.domain.candidates import CandidateQuery, CandidateSet
from soma.fractalmemory.ports import VectorStore
from soma.fractalmemory.services.store_records import check_dimensions


def find_candidates(store: VectorStore, tenant_id: UUID, query: CandidateQuery) -> CandidateSet:
    """See FractalMemory.candidates."""
    if query.limit < 1:
        raise InvalidInput(f"limit is {query.limit}; it takes 1 or more")
    check_dimensions(store, query.vector.shape)

    def nearest() -> list[UUID]:
        near = (store.nearest(tenant_id, each) for each in (query.dense, *query.dated))
        return list(dict.fromkeys(chain.from_iterable(near)))

    return store.passages.candidates(tenant_id, query, nearest)


def widen_candidates(
    store: VectorStore, tenant_id: UUID, query: CandidateQuery, seen: CandidateSet, ids: Sequence[UUID]
) -> CandidateSet:
    """See FractalMemory.widened."""
    found = [record_id for record_id, hit in zip(seen.ids, seen.found, strict=True) if hit]
    return store.passages.candidates(tenant_id, replace(query, limit=0), lambda: [*found, *ids])
