"""What a turn's replies may be repeating."""

from collections.abc import Sequence
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from soma.base.database import tenant_transaction
from soma.brain.domain.remember import RememberItem
from soma.brain.kernels.salience import novelty
from soma.brain.ports import Embedder
from soma.brain.services.guard import REPEATING_ROLES, Consolidated
from soma.fractalmemory.api import FractalMemory, VectorQuery

NEAREST = 8
"""Memories near a reply that it is compared with: a tool may have recalled what the turn does not know of."""


class Heard:
    """What memory holds beside the items of one turn, which are left out by their keys: the turn may come
    twice."""

    def __init__(
        self, memory: FractalMemory, embedder: Embedder, tenant_id: UUID, items: Sequence[RememberItem]
    ) -> None:
        self._memory = memory
        self._embedder = embedder
        self._tenant_id = tenant_id
        self._keys = {(item.namespace, item.key) for item in items}

    def texts(self, items: Sequence[RememberItem], evidence: Sequence[UUID]) -> tuple[str, ...]:
        """The contents of those of `evidence` that there are, and of what is nearest to each of `items`."""
        vectors = self._embedder.embed([item.content for item in items])
        with tenant_transaction(self._tenant_id):
            found = self._memory.get(self._tenant_id, evidence)
            for item, vector in zip(items, vectors, strict=True):
                near = self._memory.search(self._tenant_id, _nearest(item, vector, NEAREST + len(self._keys)))
                found += [each.record for each in near]
        return tuple({each.content: None for each in found if (each.namespace, each.key) not in self._keys})

    def novelty(self, item: RememberItem) -> float:
        """How far `item` is from all that its namespace holds: 1 − the largest cosine, in [0, 1]."""
        [vector] = self._embedder.embed([item.content])
        with tenant_transaction(self._tenant_id):
            near = self._memory.search(self._tenant_id, _nearest(item, vector, 1 + len(self._keys)))
        others = [each for each in near if (each.record.namespace, each.record.key) not in self._keys]
        return novelty(max((each.similarity for each in others), default=0.0))


def heard_in(
    memory: FractalMemory,
    embedder: Embedder,
    tenant_id: UUID,
    items: Sequence[RememberItem],
    evidence: Sequence[UUID],
) -> Consolidated:
    """What is known of the turn that `items` are of, and that was given the memories `evidence`."""
    heard = Heard(memory, embedder, tenant_id, items)
    repeating = [item for item in items if item.role in REPEATING_ROLES]
    texts = heard.texts(repeating, evidence) if repeating else ()
    return Consolidated(evidence=texts, novelty=heard.novelty)


def _nearest(item: RememberItem, vector: NDArray[np.float32], limit: int) -> VectorQuery:
    return VectorQuery(namespace=item.namespace, vector=vector, limit=limit)
