"""Which of the ranked candidates become evidence."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from soma.brain.kernels.diversity import diverse
from soma.brain.kernels.scoring import Floats
from soma.brain.ports import MemorySource
from soma.fractalmemory.api import MemoryRecord, content_hash

Choose = Callable[[Sequence[UUID], Floats, int], Sequence[int]]
"""From candidates in order, their scores and how many are wanted, to the positions of those chosen, in
order."""

POOL = 50
POOL_SHARE = 4
"""Diversity looks at so many of the best, or at so many times as many as are wanted."""


def best(ids: Sequence[UUID], scores: Floats, wanted: int) -> Sequence[int]:
    """The first."""
    return range(min(wanted, len(ids)))


def chooser(
    memory: MemorySource, tenant_id: UUID, diversity: float, at_hand: Mapping[UUID, NDArray[np.float32]]
) -> Choose:
    """The choice with `diversity` in [0, 1], inside the tenant's transaction; with 0 nothing is read for it.
    `at_hand` are vectors of candidates that memory may not hold yet."""

    def choose(ids: Sequence[UUID], scores: Floats, wanted: int) -> Sequence[int]:
        pool = ids[: max(POOL, POOL_SHARE * wanted)]
        kept = {**at_hand, **memory.vectors(tenant_id, pool)}
        # One that was deleted meanwhile is like nothing; it is not there to be shown either.
        nothing = np.zeros(memory.dimensions, np.float32)
        vectors = np.stack([kept.get(each, nothing) for each in pool])
        chosen: list[int] = diverse(scores[: len(pool)], vectors, wanted, diversity).chosen.tolist()
        return chosen

    return choose if diversity > 0.0 else best


def repeated(ids: Sequence[UUID], records: Mapping[UUID, MemoryRecord]) -> set[UUID]:
    """Those of `ids` that say the very same as one before them, in the same voice on the same day. Told on
    another day it is another event; parts of documents are each their own."""
    seen, found = set[Hashable](), set[UUID]()
    for each in ids:
        if each not in records:
            continue
        said = _said(records[each])
        if said in seen:
            found.add(each)
        seen.add(said)
    return found


def _said(record: MemoryRecord) -> Hashable:
    if record.is_part:
        return record.content_hash
    return content_hash(record.content), record.role, record.speaker, record.occurred_at.date()
