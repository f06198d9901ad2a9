"""Making memories ready to be stored: what takes computing, and needs no transaction."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import UUID

from soma.base.clock import now
from soma.base.ids import new_id
from soma.brain.domain.frame import Frame
from soma.brain.domain.importance import importance
from soma.brain.domain.remember import RememberItem
from soma.brain.domain.utterance import utterance_kind
from soma.brain.ports import Embedder
from soma.brain.services.analyse import Analysed, Embedding, Start, Text, analysing, when_asked
from soma.brain.services.frames import frames_in, write_frames
from soma.fractalmemory.api import FractalMemory, IndexedRecord, MemoryRecord, Upserted

PAGE = 128
MODEL = ThreadPoolExecutor(2, "soma-prepare")
"""Batches are prepared by the page: while the model, which needs no interpreter, reads one or two, the rules,
which do, go through the next on the caller's thread."""

Admit = Callable[[Sequence[RememberItem]], Sequence[RememberItem]]
"""Which of a page of items may become memories, and in which form."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """A memory ready to be stored, and the events that it tells."""

    indexed: IndexedRecord
    frames: tuple[Frame, ...]


def prepared(embedder: Embedder, items: Sequence[RememberItem], admit: Admit = list) -> list[Prepared]:
    """Those of `items` that `admit` lets through, ready to be stored: memories with their vectors, passages
    and frames. Raises EmbedderUnavailable."""
    start = when_asked if len(items) <= PAGE else _meanwhile
    pages = (admit(items[first : first + PAGE]) for first in range(0, len(items), PAGE))
    begun = [_begin(embedder, page, start) for page in pages if page]
    return [each for finish in begun for each in finish()]


def _begin(embedder: Embedder, page: Sequence[RememberItem], start: Start) -> Callable[[], list[Prepared]]:
    records = _records(page)
    analysed = _analysing(embedder, page, start)
    frames = [frames_in(record) for record in records]

    def finish() -> list[Prepared]:
        batch = zip(_indexed(records, analysed()), frames, strict=True)
        return [Prepared(indexed=each, frames=own) for each, own in batch]

    return finish


def _meanwhile(embedding: Embedding) -> Embedding:
    return MODEL.submit(embedding).result


def indexed(embedder: Embedder, items: Sequence[RememberItem]) -> list[IndexedRecord]:
    """The same of items whose frames are of no use. Raises EmbedderUnavailable."""
    return _indexed(_records(items), _analysing(embedder, items, when_asked)())


def store_prepared(memory: FractalMemory, tenant_id: UUID, batch: Sequence[Prepared]) -> list[Upserted]:
    """Store `batch` with its frames, inside the open transaction."""
    outcomes = memory.upsert(tenant_id, [each.indexed for each in batch])
    write_frames(tenant_id, [(each.indexed.record.namespace, each.frames) for each in batch], outcomes)
    return outcomes


def _analysing(
    embedder: Embedder, items: Sequence[RememberItem], start: Start
) -> Callable[[], list[Analysed]]:
    texts = [Text(content=item.content, session=item.session_name) for item in items]
    return analysing(embedder, texts, start)


def _indexed(records: Sequence[MemoryRecord], analysed: Sequence[Analysed]) -> list[IndexedRecord]:
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
