"""Making memories ready to be stored: what takes computing, and needs no transaction."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from soma.base.clock import now
from soma.base.ids import new_id
from soma.brain.domain.frame import Frame
from soma.brain.domain.importance import importance
from soma.brain.domain.remember import RememberItem
from soma.brain.domain.utterance import utterance_kind
from soma.brain.ports import Embedder
from soma.brain.services.analyse import Text, analyse
from soma.brain.services.frames import frames_in, write_frames
from soma.fractalmemory.api import FractalMemory, IndexedRecord, MemoryRecord, Upserted

PAGE = 128
WORKERS = ThreadPoolExecutor(2, "soma-prepare")
"""Batches are prepared by the page: while the model, which needs no interpreter, reads one, rules read the
next."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """A memory ready to be stored, and the events that it tells."""

    indexed: IndexedRecord
    frames: tuple[Frame, ...]


def prepared(embedder: Embedder, items: Sequence[RememberItem]) -> list[Prepared]:
    """Items that the guard lets through, ready to be stored: memories with their vectors, passages and
    frames. Raises EmbedderUnavailable."""
    pairs = list(zip(items, _records(items), strict=True))  # here, where ids rise in the order of the items
    pages = [pairs[start : start + PAGE] for start in range(0, len(pairs), PAGE)]
    spread = map if len(pages) == 1 else WORKERS.map
    return [each for page in spread(partial(_prepared, embedder), pages) for each in page]


def _prepared(embedder: Embedder, page: Sequence[tuple[RememberItem, MemoryRecord]]) -> list[Prepared]:
    batch = _indexed(embedder, [item for item, _ in page], [record for _, record in page])
    return [Prepared(indexed=each, frames=frames_in(each.record)) for each in batch]


def indexed(embedder: Embedder, items: Sequence[RememberItem]) -> list[IndexedRecord]:
    """The same of items whose frames are of no use. Raises EmbedderUnavailable."""
    return _indexed(embedder, items, _records(items))


def store_prepared(memory: FractalMemory, tenant_id: UUID, batch: Sequence[Prepared]) -> list[Upserted]:
    """Store `batch` with its frames, inside the open transaction."""
    outcomes = memory.upsert(tenant_id, [each.indexed for each in batch])
    write_frames(tenant_id, [(each.indexed.record.namespace, each.frames) for each in batch], outcomes)
    return outcomes


def _indexed(
    embedder: Embedder, items: Sequence[RememberItem], records: Sequence[MemoryRecord]
) -> list[IndexedRecord]:
    analysed = analyse(embedder, [Text(content=item.content, session=item.session_name) for item in items])
    return [
        IndexedRecord(record=record, vector=text.vector, passage=text.passage)
        for record, text in zip(records, analysed, strict=True)
    ]


def _records(items: Sequence[RememberItem]) -> list[MemoryRecord]:
    created_at = now()
    return [
        MemoryRecord(
            id=item.record_id or new_id(),
            namespace=item.namespace,
            key=item.key,
            content=item.content,
            role=item.role,
            speaker=item.speaker,
            occurred_at=item.occurred_at,
            importance=importance(item.content) if item.importance is None else item.importance,
            provenance=_provenance(item),
            created_at=created_at,
        )
        for item in items
    ]


def _provenance(item: RememberItem) -> dict[str, object]:
    kind = item.provenance.get("kind") or utterance_kind(item.content, role=item.role)
    session = {"session": item.session} if item.session else {}
    return {**item.provenance, **session, "kind": str(kind)}
