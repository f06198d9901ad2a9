"""What a user does with memories of their own: whatever id is named, another's is not there."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from soma.base.database import tenant_transaction
from soma.brain.domain.memory import Memory, NamespaceSize
from soma.brain.domain.owned_namespace import named_prefix, owned_name, owned_namespace
from soma.brain.services import working_rows
from soma.brain.services.documents.removal import drop_documents
from soma.brain.services.forget import forget
from soma.brain.services.outage import asking, writing
from soma.fractalmemory.api import FractalMemory, MemoryRecord, Selection

PAGE = 500
"""Memories deleted in one transaction: it holds a lock on the namespace."""


def get_own(memory: FractalMemory, tenant_id: UUID, owner_id: UUID, ids: Sequence[UUID]) -> list[Memory]:
    """See Brain.get."""
    with asking(), tenant_transaction(tenant_id):
        found = {record.id: record for record in memory.get(tenant_id, ids)}
    own = [_memory(owner_id, found[each]) for each in dict.fromkeys(ids) if each in found]
    return [each for each in own if each is not None]


def forget_own(memory: FractalMemory, tenant_id: UUID, owner_id: UUID, ids: Sequence[UUID]) -> int:
    """See Brain.forget_own."""
    with writing(), tenant_transaction(tenant_id):
        found = memory.get(tenant_id, ids)
        named = {record.id: record.namespace for record in found} | working_rows.named(tenant_id, ids)
        own = [each for each, namespace in named.items() if owned_name(owner_id, namespace) is not None]
        return forget(memory, tenant_id, own)


def forget_namespace(
    memory: FractalMemory, tenant_id: UUID, owner_id: UUID, name: str, before: datetime | None
) -> int:
    """See Brain.forget_namespace."""
    selection = Selection(namespace=owned_namespace(owner_id, name), before=before)
    deleted = 0
    with writing():
        drop_documents(tenant_id, selection.namespace, before)
        while True:
            with tenant_transaction(tenant_id):
                page = memory.select(tenant_id, selection, limit=PAGE)
                at_hand = working_rows.unconsolidated(tenant_id, selection.namespace, before)
                deleted += forget(memory, tenant_id, [*(record.id for record in page), *at_hand])
            if len(page) < PAGE:
                return deleted


def namespaces(memory: FractalMemory, tenant_id: UUID, owner_id: UUID) -> list[NamespaceSize]:
    """See Brain.namespaces."""
    with asking(), tenant_transaction(tenant_id):
        held = memory.namespaces(tenant_id, str(owner_id), named_prefix(owner_id))
    named = ((owned_name(owner_id, each.namespace), each) for each in held)
    return sorted(
        (
            NamespaceSize(name=name, memories=each.records, latest=each.latest)
            for name, each in named
            if name is not None
        ),
        key=lambda size: size.name,
    )


def _memory(owner_id: UUID, record: MemoryRecord) -> Memory | None:
    name = owned_name(owner_id, record.namespace)
    if name is None:
        return None
    return Memory(
        record_id=record.id,
        namespace=name,
        key=record.key,
        content=record.content,
        role=record.role,
        speaker=record.speaker,
        importance=record.importance,
        provenance=record.provenance,
        occurred_at=record.occurred_at,
        created_at=record.created_at,
    )
