"""Deleting memories by what they are."""

from uuid import UUID

from soma.fractalmemory.domain.selection import Selection
from soma.fractalmemory.ports import VectorStore

PAGE = 1_000


def delete_matching(store: VectorStore, tenant_id: UUID, selection: Selection) -> int:
    """See FractalMemory.delete_matching."""
    deleted = 0
    while page := store.select(tenant_id, selection, after=None, limit=PAGE):
        deleted += store.delete(tenant_id, [record.id for record in page])
    return deleted
