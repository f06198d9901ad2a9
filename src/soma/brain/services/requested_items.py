"""What a `memory.remember_requested` event asks to remember, read the same by everybody who reads it."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from soma.base.ids import named_id
from soma.brain.domain.remember import RememberItem
from soma.events.api import read_blobs

Requested = Mapping[UUID, RememberItem]
"""Items by the ids that their memories will have, in the event's order."""


def requested_items(tenant_id: UUID, payload: Mapping[str, Any], trace_id: str) -> Requested:
    """The items, in the tenant's open transaction. An id follows from its item's key, so that it is the same
    in working memory as in long-term memory, and the same when the event comes again. What an item names by
    its hash, and was deleted since, is not asked for any more. Raises BlobAltered."""
    source = {
        "trace_id": trace_id,
        "source_turn": payload["turn_id"],
        "conversation_id": payload["conversation_id"],
        "agent_id": payload["agent_id"],
    }
    told = [(item, text) for item, text in _told(payload) if text is not None]
    items = [_item(tenant_id, payload["namespace"], source, item, text) for item, text in told]
    return {item.record_id: item for item in items if item.record_id is not None}


def _told(payload: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str | None]]:
    """Each item with its text. The first version of the event has it by value."""
    hashes = {item["content_hash"] for item in payload["items"] if "content_hash" in item}
    contents = read_blobs([UUID(payload["conversation_id"])], hashes) if hashes else {}
    for item in payload["items"]:
        if "content" in item:
            yield item, item["content"]
        else:
            data = contents.get(item["content_hash"])
            yield item, None if data is None else data.decode()


def _item(
    tenant_id: UUID, namespace: str, source: Mapping[str, Any], item: Mapping[str, Any], text: str
) -> RememberItem:
    occurred_at = datetime.fromisoformat(item["occurred_at"])
    return RememberItem(
        record_id=named_id(occurred_at, str(tenant_id), namespace, item["key"]),
        namespace=namespace,
        key=item["key"],
        content=text,
        role=item["role"],
        occurred_at=occurred_at,
        importance=item["importance"],
        provenance={**source, "input_hash": item["input_hash"]},
    )
