"""Finding what may answer a question."""

from uuid import UUID

from soma.base.errors import InvalidInput
from soma.fractalmemory.domain.candidates import CandidateQuery, CandidateSet
from soma.fractalmemory.ports import VectorStore
from soma.fractalmemory.services.search_records import search_records


def find_candidates(store: VectorStore, tenant_id: UUID, query: CandidateQuery) -> CandidateSet:
    """See FractalMemory.candidates."""
    if query.limit < 1:
        raise InvalidInput(f"limit is {query.limit}; it takes 1 or more")
    nearest = search_records(store, tenant_id, query.dense)
    return store.passages.candidates(tenant_id, query, [scored.record.id for scored in nearest])
