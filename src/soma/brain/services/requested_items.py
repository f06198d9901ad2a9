"""What a `memory.remember_requested` event asks to remember, read the same by everybody who reads it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from soma.base.ids import named_id
from soma.brain.domain.remember import RememberItem

Requested = Mapping[UUID, RememberItem]
"""Items by the ids that their memories will have, in the event's order."""


def requested_items(tenant_id: UUID, payload: Mapping[str, Any], trace_id: str) -> Requested:
    """The items. An id follows from its item's key, so that it is the same in working memory as in long-term
    memory, and the same when the event comes again."""
    source = {
        "trace_id": trace_id,
        "source_turn": payload["turn_id"],
        "conversation_id": payload["conversation_id"],
        "agent_id": payload["agent_id"],
    }
    items = [_item(tenant_id, payload["namespace"], source, item) for item in payload["items"]]
    return {item.record_id: item for item in items if item.record_id is not None}


def _item(
    tenant_id: UUID, namespace: str, source: Mapping[str, Any], item: Mapping[str, Any]
) -> RememberItem:
    occurred_at = datetime.fromisoformat(item["occurred_at"])
    return RememberItem(
        record_id=named_id(occurred_at, str(tenant_id), namespace, item["key"]),
        namespace=namespace,
        key=item["key"],
        content=item["content"],
        role=item["role"],
        occurred_at=occurred_at,
        importance=item["importance"],
        provenance={**source, "input_hash": item["input_hash"]},
    )
