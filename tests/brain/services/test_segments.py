"""soma.brain.services.segments: the subjects of a conversation as consolidation follows them."""

from uuid import UUID

import pytest

from soma.base.database import tenant_transaction
from soma.base.ids import new_id
from soma.brain.api import Brain
from soma.events.api import StoredEvent
from soma.fractalmemory.api import Selection
from tests.brain.requested import NAMESPACE, logged, requested
from tests.brain.topics import TOPICS

pytestmark = pytest.mark.req("MEM-006")


def talk(tenant: UUID, conversation: UUID, *topics: str) -> list[StoredEvent]:
    """The events of a conversation about these."""
    lines = [line for topic in topics for line in TOPICS[topic]]
    return [
        logged(requested(tenant, conversation, said, ("assistant", answer), number=number), number)
        for number, (said, answer) in enumerate(zip(lines[::2], lines[1::2], strict=True), start=1)
    ]


def segments(brain: Brain, tenant: UUID) -> dict[str, object]:
    """The segment that each memory was given."""
    with tenant_transaction(tenant):
        records = brain._memory.select(tenant, Selection(namespace=NAMESPACE), limit=100)
    return {record.content: record.provenance.get("segment") for record in records}


def test_memories_say_in_which_segment_they_were_said(brain: Brain, tenant: UUID) -> None:
    conversation = new_id()
    assert brain.segment(tenant, conversation) is None
    for event in talk(tenant, conversation, "sailing", "knee"):
        brain.consolidation().handler(event)
    given = segments(brain, tenant)
    assert {given[line] for line in TOPICS["sailing"]} == {1}
    assert [given[line] for line in TOPICS["knee"][-6:]] == [7] * 6
    present = brain.segment(tenant, conversation)
    assert present is not None
    assert (present.start, present.turns) == (7, 12)
    assert 0.0 <= present.change_probability < 0.5


def test_conversations_and_tenants_have_segments_of_their_own(
    brain: Brain, tenant: UUID, other_tenant: UUID
) -> None:
    one, other = new_id(), new_id()
    for event in talk(tenant, one, "sailing"):
        brain.consolidation().handler(event)
    assert brain.segment(tenant, other) is None
    assert brain.segment(other_tenant, one) is None


def test_an_event_that_comes_late_is_remembered_and_moves_nothing(brain: Brain, tenant: UUID) -> None:
    """As a dead letter that was tried again after later turns."""
    first, late, *rest = talk(tenant, new_id(), "sailing")
    conversation = UUID(first.payload["conversation_id"])
    for event in (first, *rest):
        brain.consolidation().handler(event)
    before = brain.segment(tenant, conversation)
    brain.consolidation().handler(late)
    assert brain.segment(tenant, conversation) == before
    given = segments(brain, tenant)
    assert len(given) == 12
    assert given[late.payload["items"][0]["content"]] is None
