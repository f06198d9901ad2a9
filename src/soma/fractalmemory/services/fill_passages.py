"""Analysing the memories that were stored without a passage."""

from collections.abc import Callable, Iterator, Sequence
from uuid import UUID

from soma.base.database import tenant_transaction
from soma.fractalmemory.domain.passage import Passage
from soma.fractalmemory.domain.record import MemoryRecord
from soma.fractalmemory.ports import PassageStore

PAGE = 500

Analyse = Callable[[Sequence[MemoryRecord]], Sequence[Passage]]
"""The passage of each memory, in order."""


def filling(
    passages: PassageStore, tenant_id: UUID, namespace: str, analyse: Analyse, page: int = PAGE
) -> Iterator[int]:
    """See FractalMemory.filling."""
    after = None
    while True:
        with tenant_transaction(tenant_id):
            records = passages.unanalysed(tenant_id, namespace, after=after, limit=page)
        if not records:
            return
        # Between transactions: no connection waits for a model.
        analysed = list(zip(records, analyse(records), strict=True))
        with tenant_transaction(tenant_id):
            filled = passages.add(tenant_id, analysed)
        yield filled
        after = records[-1].id
