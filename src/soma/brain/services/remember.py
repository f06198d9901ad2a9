"""Remembering a batch."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import InterfaceError, OperationalError

from soma.base.clock import now
from soma.base.database import tenant_transaction
from soma.base.errors import Unavailable
from soma.base.ids import new_id
from soma.brain.domain.guard import refusal
from soma.brain.domain.remember import Kept, Refusal, Remembered, RememberItem
from soma.brain.domain.utterance import utterance_kind
from soma.brain.errors import RememberUnavailable
from soma.brain.ports import Embedder
from soma.brain.services.analyse import Text, analyse
from soma.brain.services.frames import write_frames
from soma.fractalmemory.api import FractalMemory, IndexedRecord, MemoryRecord, Outcome, Upserted


def remember(
    memory: FractalMemory, embedder: Embedder, tenant_id: UUID, items: Sequence[RememberItem]
) -> Remembered:
    """See Brain.remember."""
    refused = {position: why for position, item in enumerate(items) if (why := refusal(item)) is not None}
    accepted = [item for position, item in enumerate(items) if position not in refused]
    try:
        outcomes = _store(memory, embedder, tenant_id, accepted) if accepted else []
    except (Unavailable, OperationalError, InterfaceError) as error:
        raise RememberUnavailable(f"Memory could not be written: {error}") from error
    return _remembered(outcomes, tuple(refused.values()))


def _store(
    memory: FractalMemory, embedder: Embedder, tenant_id: UUID, items: Sequence[RememberItem]
) -> list[Upserted]:
    # Before the transaction: no connection waits for the model.
    batch = indexed(embedder, items)
    with tenant_transaction(tenant_id):
        outcomes = memory.upsert(tenant_id, batch)
        write_frames(tenant_id, [each.record for each in batch], outcomes)
    return outcomes


def indexed(embedder: Embedder, items: Sequence[RememberItem]) -> list[IndexedRecord]:
    """Items that the guard lets through, ready to be stored: memories with their vectors and passages. Raises
    EmbedderUnavailable."""
    analysed = analyse(embedder, [Text(content=item.content, session=item.session_name) for item in items])
    created_at = now()
    return [
        IndexedRecord(record=_record(item, created_at), vector=text.vector, passage=text.passage)
        for item, text in zip(items, analysed, strict=True)
    ]


def _record(item: RememberItem, created_at: datetime) -> MemoryRecord:
    kind = item.provenance.get("kind") or utterance_kind(item.content, role=item.role)
    return MemoryRecord(
        id=item.record_id or new_id(),
        namespace=item.namespace,
        key=item.key,
        content=item.content,
        role=item.role,
        speaker=item.speaker,
        occurred_at=item.occurred_at,
        importance=item.importance,
        provenance={**item.provenance, "kind": str(kind)},
        created_at=created_at,
    )


def _remembered(outcomes: Sequence[Upserted], refused: tuple[Refusal, ...]) -> Remembered:
    written = {Outcome.STORED, Outcome.UPDATED}
    return Remembered(
        stored=tuple(_kept(outcome) for outcome in outcomes if outcome.outcome in written),
        deduplicated=tuple(_kept(outcome) for outcome in outcomes if outcome.outcome not in written),
        refused=refused,
    )


def _kept(upserted: Upserted) -> Kept:
    return Kept(
        namespace=upserted.namespace,
        key=upserted.key,
        record_id=upserted.id,
        rewritten=upserted.outcome is Outcome.UPDATED,
    )
