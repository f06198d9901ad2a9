"""Remembering a batch."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction

from soma.base.clock import now
from soma.base.database import tenant_transaction
from soma.base.errors import Unavailable
from soma.base.ids import new_id
from soma.base.tenancy import Principal
from soma.brain.domain.importance import importance
from soma.brain.domain.remember import Kept, Refusal, Remembered, RememberItem
from soma.brain.domain.utterance import utterance_kind
from soma.brain.errors import RememberUnavailable
from soma.brain.ports import Embedder
from soma.brain.services.analyse import Text, analyse
from soma.brain.services.frames import write_frames
from soma.brain.services.guard import Consolidated, Guard, Judged, refused_by_quota
from soma.brain.services.memory_policy import consolidation_principal
from soma.fractalmemory.api import (
    FractalMemory,
    IndexedRecord,
    MemoryRecord,
    Outcome,
    QuotaExceeded,
    Upserted,
)

Settled = list[Upserted | QuotaExceeded]


def remember(
    memory: FractalMemory,
    embedder: Embedder,
    tenant_id: UUID,
    items: Sequence[RememberItem],
    *,
    guard: Guard | None = None,
    principal: Principal | None = None,
    turn: Consolidated | None = None,
) -> Remembered:
    """See Brain.remember. `turn` is for items that nobody asked to be remembered."""
    writer = principal or consolidation_principal(tenant_id)
    with _available():
        judged = (guard or Guard()).judge(tenant_id, items, writer, turn)
        accepted = [each.item for each in judged if each.reason is None]
        settled = _store(memory, embedder, tenant_id, accepted) if accepted else []
    return _remembered(judged, settled)


@contextmanager
def _available() -> Iterator[None]:
    try:
        yield
    except (Unavailable, OperationalError, InterfaceError) as error:
        raise RememberUnavailable(f"Memory could not be written: {error}") from error


def _store(
    memory: FractalMemory, embedder: Embedder, tenant_id: UUID, items: Sequence[RememberItem]
) -> Settled:
    # Before the transaction: no connection waits for the model.
    batch = indexed(embedder, items)
    try:
        with tenant_transaction(tenant_id):
            return list(store_indexed(memory, tenant_id, batch))
    except QuotaExceeded:
        return _fill_up(memory, tenant_id, batch)


def _fill_up(memory: FractalMemory, tenant_id: UUID, batch: Sequence[IndexedRecord]) -> Settled:
    """Store of `batch`, in its order, what there is room for, still in one transaction. It takes a statement
    an item or more: this is for a batch that does not fit."""
    with tenant_transaction(tenant_id):
        return [_unless_full(memory, tenant_id, each) for each in batch]


def _unless_full(memory: FractalMemory, tenant_id: UUID, one: IndexedRecord) -> Upserted | QuotaExceeded:
    try:
        with transaction.atomic():
            return store_indexed(memory, tenant_id, [one])[0]
    except QuotaExceeded as full:
        return full


def store_indexed(memory: FractalMemory, tenant_id: UUID, batch: Sequence[IndexedRecord]) -> list[Upserted]:
    """Store `batch` with its frames, inside the open transaction."""
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
    session = {"session": item.session} if item.session else {}
    return MemoryRecord(
        id=item.record_id or new_id(),
        namespace=item.namespace,
        key=item.key,
        content=item.content,
        role=item.role,
        speaker=item.speaker,
        occurred_at=item.occurred_at,
        importance=importance(item.content) if item.importance is None else item.importance,
        provenance={**item.provenance, **session, "kind": str(kind)},
        created_at=created_at,
    )


def _remembered(judged: Sequence[Judged], settled: Settled) -> Remembered:
    judged = _with_quotas(judged, settled)
    outcomes = [each for each in settled if isinstance(each, Upserted)]
    written = {Outcome.STORED, Outcome.UPDATED}
    return Remembered(
        stored=tuple(_kept(outcome) for outcome in outcomes if outcome.outcome in written),
        deduplicated=tuple(_kept(outcome) for outcome in outcomes if outcome.outcome not in written),
        refused=tuple(_refusals(judged)),
        decisions=tuple(each.decision for each in judged),
    )


def _with_quotas(judged: Sequence[Judged], settled: Settled) -> list[Judged]:
    """`judged` as it stands once memory has said which of the accepted there was room for."""
    became = iter(settled)
    return [each if each.reason is not None else _within_quota(each, next(became)) for each in judged]


def _within_quota(judged: Judged, became: Upserted | QuotaExceeded) -> Judged:
    if isinstance(became, Upserted):
        return judged
    return refused_by_quota(judged, became.quota, became.detail)


def _refusals(judged: Iterable[Judged]) -> Iterator[Refusal]:
    for each in judged:
        if each.reason is not None:
            decision = each.decision
            yield Refusal(
                namespace=decision.namespace, key=decision.key, reason=each.reason, detail=decision.detail
            )


def _kept(upserted: Upserted) -> Kept:
    return Kept(
        namespace=upserted.namespace,
        key=upserted.key,
        record_id=upserted.id,
        rewritten=upserted.outcome is Outcome.UPDATED,
    )
