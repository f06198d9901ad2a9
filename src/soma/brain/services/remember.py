"""Remembering a batch."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction

from soma.base.database import tenant_transaction
from soma.base.errors import Unavailable
from soma.base.tenancy import Principal
from soma.brain.domain.remember import Kept, Refusal, Remembered, RememberItem
from soma.brain.errors import RememberUnavailable
from soma.brain.ports import Embedder
from soma.brain.services.guard import Consolidated, Guard, Judged, refused_by_quota
from soma.brain.services.memory_policy import consolidation_principal
from soma.brain.services.prepare import Prepared, prepared, store_prepared
from soma.fractalmemory.api import (
    FractalMemory,
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
    standing, judged = guard or Guard(), list[Judged]()

    def admit(page: Sequence[RememberItem]) -> list[RememberItem]:
        own = standing.judge(tenant_id, page, writer, turn)
        judged.extend(own)
        return [each.item for each in own if each.reason is None]

    with _available():
        # Before the transaction: no connection waits for the model.
        batch = prepared(embedder, items, admit)
        settled = _store(memory, tenant_id, batch) if batch else []
    return _remembered(judged, settled)


@contextmanager
def _available() -> Iterator[None]:
    try:
        yield
    except (Unavailable, OperationalError, InterfaceError) as error:
        raise RememberUnavailable(f"Memory could not be written: {error}") from error


def _store(memory: FractalMemory, tenant_id: UUID, batch: Sequence[Prepared]) -> Settled:
    try:
        with tenant_transaction(tenant_id, pipelined=True):
            return list(store_prepared(memory, tenant_id, batch))
    except QuotaExceeded:
        return _fill_up(memory, tenant_id, batch)


def _fill_up(memory: FractalMemory, tenant_id: UUID, batch: Sequence[Prepared]) -> Settled:
    """Store of `batch`, in its order, what there is room for, still in one transaction. It takes a statement
    an item or more: this is for a batch that does not fit."""
    with tenant_transaction(tenant_id):
        return [_unless_full(memory, tenant_id, each) for each in batch]


def _unless_full(memory: FractalMemory, tenant_id: UUID, one: Prepared) -> Upserted | QuotaExceeded:
    try:
        with transaction.atomic():
            return store_prepared(memory, tenant_id, [one])[0]
    except QuotaExceeded as full:
        return full


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
