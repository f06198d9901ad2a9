"""Sketches of namespaces in this process: 160 MB for a million memories, read once and then kept up."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from soma.fractalmemory.kernels.sketch_block import Entries, hexadecimal, sketches, unpack
from soma.fractalmemory.kernels.sketches import (
    Signs,
    differing,
    fewest,
    leaning,
    signs_of,
    sketches_of,
)

CAPACITY = 2_000_000
"""Memories whose sketches are kept, of all namespaces together. A larger namespace is read at each search."""

CLOSER = 12
"""How many times as many are compared closely as are wanted."""

MOST = 2 * CLOSER
"""The same of vectors whose signs do not tell them apart, as those of one text do not."""

STRETCH = 8
"""Blocks that lie in one piece of memory, 16,000 memories: to compare all of a piece at once fits a core's
cache, and a change of one block copies its piece, a megabyte."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """What is known of n memories, and their signs once more."""

    entries: Entries = field(repr=False)
    signs: Signs = field(repr=False)

    def part(self, first: int, end: int) -> "Block":
        """The memories from the place `first` up to `end`, without copying them."""
        return Block(entries=self.entries[first:end], signs=self.signs[:, first:end])


@dataclass(frozen=True, kw_only=True, slots=True)
class NamespaceSketches:
    """The blocks of a namespace by their numbers, as they stood at `version`, and the pieces that they are
    parts of."""

    version: int = 0
    blocks: Mapping[int, Block] = field(default_factory=dict, repr=False)
    pieces: Mapping[int, Block] = field(default_factory=dict, repr=False)

    @property
    def size(self) -> int:
        """How many memories there are."""
        return sum(len(piece.entries) for piece in self.pieces.values())

    def after(self, changed: Iterable[tuple[int, int, bytes]], dimensions: int) -> "NamespaceSketches":
        """The same after blocks have `changed`: number, version, entries of each."""
        blocks, pieces, version = dict(self.blocks), dict(self.pieces), self.version
        touched = set[int]()
        for number, newer, packed in changed:
            entries = unpack(packed, dimensions)
            blocks[number] = Block(entries=entries, signs=signs_of(sketches(entries)))
            touched.add(number // STRETCH)
            version = max(version, newer)
        for place in touched:
            numbers = range(place * STRETCH, (place + 1) * STRETCH)
            own = {number: blocks[number] for number in numbers if number in blocks}
            pieces[place] = _joined(own.values())
            blocks |= _parts(pieces[place], own)
        return NamespaceSketches(version=version, blocks=blocks, pieces=pieces)

    def near(self, vector: NDArray[np.float32], limit: int) -> list[str]:
        """The ids, in 32 hexadecimal digits, of about `limit` memories among which those nearest to `vector`
        (d,) are likely to be."""
        pieces = list(self.pieces.values())
        if not pieces:
            return []
        signs = signs_of(sketches_of(vector[None]))
        counted = [differing(piece.signs, signs) for piece in pieces]
        best = _gathered(pieces, fewest(np.concatenate(counted), limit * CLOSER)[: limit * MOST])
        if limit >= len(best):
            return hexadecimal(best)
        values = leaning(sketches(best), vector)
        # With what equals the last of them: it is as likely to be near.
        least = np.partition(values, len(values) - limit)[len(values) - limit]
        return hexadecimal(best[values >= least])


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


def _joined(blocks: Iterable[Block]) -> Block:
    entries, signs = zip(*((block.entries, block.signs) for block in blocks), strict=True)
    return Block(entries=np.concatenate(entries), signs=np.concatenate(signs, axis=1))


def _parts(piece: Block, blocks: Mapping[int, Block]) -> dict[int, Block]:
    """The `blocks` that `piece` was joined from, as parts of it: it is kept once."""
    ends = np.cumsum([len(block.entries) for block in blocks.values()]).tolist()
    return {
        number: piece.part(first, end)
        for number, first, end in zip(blocks, [0, *ends[:-1]], ends, strict=True)
    }


def _gathered(pieces: list[Block], places: NDArray[np.intp]) -> Entries:
    """What is at the `places` (m,), which rise, of `pieces` in a row."""
    starts = np.cumsum([0, *(len(piece.entries) for piece in pieces)])
    cuts = np.searchsorted(places, starts)
    chosen = zip(pieces, starts[:-1], cuts[:-1], cuts[1:], strict=True)
    return np.concatenate(
        [piece.entries.take(places[first:end] - start, axis=0) for piece, start, first, end in chosen]
    )
