"""Sketches of namespaces in this process: 64 MB for a million memories, read once and then kept up."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from soma.fractalmemory.kernels.sketch_block import Ids, unpack
from soma.fractalmemory.kernels.sketches import (
    Sketches,
    as_sketches,
    differing,
    fewest,
    leaning,
    sketches_of,
)

CAPACITY = 4_000_000
"""Memories whose sketches are kept, of all namespaces together. A larger namespace is read at each search."""

CLOSER = 8
"""How many times as many are compared closely as are wanted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """The ids (n,) and the sketches (d/64, n) of a block's memories."""

    ids: Ids = field(repr=False)
    sketches: Sketches = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class NamespaceSketches:
    """The blocks of a namespace by their numbers, as they stood at `version`."""

    version: int = 0
    blocks: Mapping[int, Block] = field(default_factory=dict, repr=False)

    @property
    def size(self) -> int:
        """How many memories there are."""
        return sum(len(block.ids) for block in self.blocks.values())

    def after(self, changed: Iterable[tuple[int, int, bytes]], dimensions: int) -> "NamespaceSketches":
        """The same after blocks have `changed`: number, version, entries of each."""
        blocks, version = dict(self.blocks), self.version
        for number, newer, entries in changed:
            ids, signs = unpack(entries, dimensions)
            blocks[number] = Block(ids=ids, sketches=as_sketches(signs))
            version = max(version, newer)
        return NamespaceSketches(version=version, blocks=blocks)

    def near(self, vector: NDArray[np.float32], limit: int) -> list[UUID]:
        """About `limit` memories among which the nearest to `vector` (d,) are likely to be."""
        blocks = list(self.blocks.values())
        if not blocks:
            return []
        sketch = sketches_of(vector[None])
        places = fewest(
            np.concatenate([differing(block.sketches, sketch) for block in blocks]), limit * CLOSER
        )
        ids, sketches = _gathered(blocks, places)
        if limit < len(ids):
            ids = ids[np.argpartition(-leaning(sketches, vector), limit)[:limit]]
        return [UUID(bytes=each) for each in ids.tolist()]


class SketchCache:
    """What this process knows of namespaces' sketches; what was not used for longest goes first."""

    def __init__(self, *, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._known: OrderedDict[tuple[UUID, str], NamespaceSketches] = OrderedDict()
        self._lock = Lock()

    def get(self, tenant_id: UUID, namespace: str) -> NamespaceSketches:
        """What is known, as it is known; nothing at version 0 where nothing is."""
        with self._lock:
            known = self._known.get((tenant_id, namespace))
            if known is None:
                return NamespaceSketches()
            self._known.move_to_end((tenant_id, namespace))
            return known

    def put(self, tenant_id: UUID, namespace: str, sketches: NamespaceSketches) -> None:
        """Keep `sketches`, unless newer ones are known."""
        with self._lock:
            known = self._known.get((tenant_id, namespace))
            if known is not None and known.version >= sketches.version:
                return
            self._known[tenant_id, namespace] = sketches
            self._known.move_to_end((tenant_id, namespace))
            held = sum(each.size for each in self._known.values())
            while held > self._capacity:
                held -= self._known.popitem(last=False)[1].size


def _gathered(blocks: list[Block], places: NDArray[np.intp]) -> tuple[Ids, Sketches]:
    """The ids (m,) and sketches (d/64, m) at the `places` (m,), which rise, of `blocks` in a row."""
    starts = np.cumsum([0, *(len(block.ids) for block in blocks)])
    cuts = np.searchsorted(places, starts)
    chosen = [
        (block, places[first:end] - start)
        for block, start, first, end in zip(blocks, starts[:-1], cuts[:-1], cuts[1:], strict=True)
        if first < end
    ]
    if not chosen:
        return blocks[0].ids[:0], blocks[0].sketches[:, :0]
    ids = np.concatenate([block.ids[own] for block, own in chosen])
    return ids, np.concatenate([block.sketches[:, own] for block, own in chosen], axis=1)
