"""What turns leave to be remembered, as the event that the agent publishes and as the log hands it over."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from soma.base.canonical import sha256_hex
from soma.base.ids import new_id
from soma.events.api import Event, StoredEvent

NAMESPACE = "person"
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
IMPORTANCE = {"user": 0.7, "assistant": 0.3, "tool": 0.3}


def requested(
    tenant: UUID,
    conversation: UUID,
    *said: str | tuple[str, str],
    turn: UUID | None = None,
    number: int = 1,
    namespace: str = NAMESPACE,
) -> Event:
    """The event of a conversation's turn `number`, in which (role, content) were said; the role of a content
    alone is the user's."""
    turn = turn or new_id()
    spoken = [("user", each) if isinstance(each, str) else each for each in said]
    moment = BEGINNING + timedelta(minutes=number)
    return Event(
        tenant_id=tenant,
        type="memory.remember_requested",
        key=str(turn),
        trace_id="trace",
        occurred_at=moment,
        payload={
            "turn_id": str(turn),
            "conversation_id": str(conversation),
            "agent_id": "agent",
            "namespace": namespace,
            "items": [_item(turn, role, content, moment) for role, content in spoken],
        },
    )


def logged(event: Event, sequence: int = 1) -> StoredEvent:
    """`event` as it stands in the log."""
    values: dict[str, Any] = {each.name: getattr(event, each.name) for each in fields(Event)}
    values |= {"topic": "agent.memory", "payload": dict(event.payload)}
    return StoredEvent(
        **values, partition="log", position=sequence, sequence=sequence, recorded_at=event.occurred_at
    )


def _item(turn: UUID, role: str, content: str, moment: datetime) -> dict[str, Any]:
    return {
        "key": f"turn:{turn}:{role}",
        "content": content,
        "role": role,
        "occurred_at": moment.isoformat(),
        "importance": IMPORTANCE[role],
        "input_hash": sha256_hex(content.encode()),
    }
