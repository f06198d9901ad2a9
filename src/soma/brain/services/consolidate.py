"""Consolidation: what a turn left to be remembered, taken from the event log."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from soma.brain.domain.remember import Remembered, RememberItem
from soma.events.api import StoredEvent

REMEMBER_REQUESTED = "memory.remember_requested"


def consolidate(
    remember: Callable[[UUID, Sequence[RememberItem]], Remembered], event: StoredEvent
) -> Remembered:
    """Remember the items of a `memory.remember_requested` event. The keys are the event's own, so the same
    event again changes nothing. Raises RememberUnavailable."""
    payload = event.payload
    source = {
        "trace_id": event.trace_id or str(event.event_id),
        "source_turn": payload["turn_id"],
        "conversation_id": payload["conversation_id"],
        "agent_id": payload["agent_id"],
    }
    items = [
        RememberItem(
            namespace=payload["namespace"],
            key=item["key"],
            content=item["content"],
            role=item["role"],
            occurred_at=datetime.fromisoformat(item["occurred_at"]),
            importance=item["importance"],
            provenance={**source, "input_hash": item["input_hash"]},
        )
        for item in payload["items"]
    ]
    return remember(event.tenant_id, items)
