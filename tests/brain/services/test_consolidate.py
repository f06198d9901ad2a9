"""soma.brain.services.consolidate"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from soma.base.ids import new_id
from soma.brain.api import Brain, RecallRequest, RememberUnavailable
from soma.events.api import StoredEvent

TURN, CONVERSATION = new_id(), new_id()


def event(tenant: UUID, *said: tuple[str, str]) -> StoredEvent:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    items: list[dict[str, Any]] = [
        {
            "key": f"turn:{TURN}:{role}",
            "content": content,
            "role": role,
            "occurred_at": "2026-01-01T00:00:00.000000Z",
            "importance": 0.7,
            "input_hash": "a" * 64,
        }
        for role, content in said
    ]
    return StoredEvent(
        event_id=new_id(),
        tenant_id=tenant,
        topic="agent.memory",
        type="memory.remember_requested",
        version=1,
        key=str(TURN),
        payload={
            "turn_id": str(TURN),
            "conversation_id": str(CONVERSATION),
            "agent_id": "agent",
            "namespace": "person",
            "items": items,
        },
        trace_id="trace",
        occurred_at=moment,
        recorded_at=moment,
        sequence=1,
        partition="log",
        position=1,
    )


@pytest.mark.req("MEM-003")
def test_a_turn_is_remembered_once_and_recalled_with_its_origin(brain: Brain, tenant: UUID) -> None:
    consumer = brain.consolidation()
    turn = event(tenant, ("user", "My dog is called Rex"), ("assistant", "What a lovely name!"))
    assert consumer.types == (turn.type,)
    for _ in range(2):
        consumer.handler(turn)
    question = RecallRequest(
        tenant_id=tenant, agent_id=None, namespace="person", query="What is my dog's name?"
    )
    [evidence] = brain.recall(question).evidence
    assert evidence.content == "My dog is called Rex"
    assert evidence.provenance == {
        "trace_id": "trace",
        "source_turn": str(TURN),
        "conversation_id": str(CONVERSATION),
        "agent_id": "agent",
        "input_hash": "a" * 64,
        "kind": "statement",
    }


@pytest.mark.req("MEM-003")
def test_while_memory_is_down_the_event_is_not_done_with(cut_off_brain: Brain, tenant: UUID) -> None:
    with pytest.raises(RememberUnavailable):
        cut_off_brain.consolidation().handler(event(tenant, ("user", "My dog is called Rex")))
