"""Forgetting for good: in both layers, and whatever of it still waits to be remembered.

What was deleted may stand in an event that consolidation has not come to, or that comes again after a crash.
So what is forgotten is written down, and consolidation asks.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connections

from soma.base.clock import now
from soma.base.database import APP
from soma.brain.models import (
    ConversationSegmentRow,
    ForgottenConversationRow,
    ForgottenMemoryRow,
    WorkingItemRow,
    WorkingMemoryRow,
)
from soma.brain.services import working_rows
from soma.brain.services.requested_items import Requested
from soma.fractalmemory.api import FractalMemory, Selection

FORGETTING = "SELECT pg_advisory_xact_lock(hashtextextended('soma.forget.' || %s, 0))"
REMEMBERING = "SELECT pg_advisory_xact_lock_shared(hashtextextended('soma.forget.' || %s, 0))"
"""Who forgets waits for who has just remembered and looks whether that was forgotten meanwhile, and the other
way round: one of them sees the other's. The ORM has no advisory locks."""


def forget(memory: FractalMemory, tenant_id: UUID, record_ids: Sequence[UUID]) -> int:
    """See Brain.forget. Inside the tenant's open transaction."""
    _take_lock(FORGETTING, tenant_id)
    working_rows.lock(tenant_id, working_rows.holders(tenant_id, record_ids))
    removed = working_rows.remove(tenant_id, record_ids)
    ids = sorted({*record_ids, *(name for names in removed for name in names if name is not None)})
    _note(tenant_id, ids)
    unconsolidated = {item_id for item_id, record_id in removed if record_id is None}
    known = {record.id for record in memory.get(tenant_id, sorted(unconsolidated))}
    return memory.delete(tenant_id, ids) + len(unconsolidated - known)


def forget_conversation(memory: FractalMemory, tenant_id: UUID, namespace: str, conversation_id: UUID) -> int:
    """See Brain.forget_conversation. Inside the tenant's open transaction."""
    _take_lock(FORGETTING, tenant_id)
    working_rows.lock(tenant_id, [conversation_id])
    ForgottenConversationRow.objects.bulk_create(
        [ForgottenConversationRow(tenant_id=tenant_id, conversation_id=conversation_id, before=now())],
        update_conflicts=True,
        unique_fields=["tenant_id", "conversation_id"],
        update_fields=["before"],
    )
    of_it = {"tenant_id": tenant_id, "conversation_id": conversation_id}
    waiting = [item.id for item in working_rows.items(tenant_id, conversation_id) if item.record_id is None]
    known = {record.id for record in memory.get(tenant_id, waiting)}
    for table in (WorkingItemRow, WorkingMemoryRow, ConversationSegmentRow):
        table.objects.filter(**of_it).delete()
    selection = Selection(namespace=namespace, filters={"conversation_id": (str(conversation_id),)})
    return memory.delete_matching(tenant_id, selection) + len(set(waiting) - known)


def to_be_forgotten(tenant_id: UUID, conversation_id: UUID, items: Requested) -> list[UUID]:
    """Those of `items` that were forgotten before they were remembered. Inside the open transaction, which
    holds off who forgets until it ends."""
    _take_lock(REMEMBERING, tenant_id)
    noted = ForgottenMemoryRow.objects.filter(tenant_id=tenant_id, record_id__in=list(items))
    gone = set(noted.values_list("record_id", flat=True))
    before = _forgotten_before(tenant_id, conversation_id)
    return [
        record_id
        for record_id, item in items.items()
        if record_id in gone or (before is not None and item.occurred_at <= before)
    ]


def _forgotten_before(tenant_id: UUID, conversation_id: UUID) -> datetime | None:
    row = ForgottenConversationRow.objects.filter(tenant_id=tenant_id, conversation_id=conversation_id)
    return row.values_list("before", flat=True).first()


def _note(tenant_id: UUID, ids: Sequence[UUID]) -> None:
    moment = now()
    ForgottenMemoryRow.objects.bulk_create(
        [ForgottenMemoryRow(tenant_id=tenant_id, record_id=each, forgotten_at=moment) for each in ids],
        ignore_conflicts=True,
    )


def _take_lock(statement: str, tenant_id: UUID) -> None:
    with connections[APP].cursor() as cursor:
        cursor.execute(statement, [str(tenant_id)])
