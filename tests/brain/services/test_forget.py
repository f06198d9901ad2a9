"""soma.brain.services.forget: what is forgotten stays forgotten."""

from uuid import UUID

import pytest

from soma.base.clock import now
from soma.base.database import tenant_transaction
from soma.base.ids import new_id
from soma.brain.api import Brain, RecallRequest
from soma.events.api import Event
from tests.brain.requested import BEGINNING, NAMESPACE, logged, requested

pytestmark = [pytest.mark.req("MEM-001"), pytest.mark.req("MEM-006")]

DOG = "My dog is called Rex"


@pytest.fixture
def conversation() -> UUID:
    return new_id()


def hold(brain: Brain, event: Event) -> None:
    with tenant_transaction(event.tenant_id):
        brain.hold(event, novelty=1.0, used=())


def recalled(brain: Brain, tenant: UUID, conversation: UUID) -> list[tuple[str, UUID]]:
    request = RecallRequest(
        tenant_id=tenant,
        agent_id=None,
        namespace=NAMESPACE,
        query="What is my dog's name?",
        conversation_id=conversation,
    )
    return [(each.content, each.record_id) for each in brain.recall(request).evidence]


@pytest.mark.parametrize("consolidated", [False, True])
def test_a_memory_goes_from_both_layers_and_does_not_come_back(
    brain: Brain, tenant: UUID, conversation: UUID, consolidated: bool
) -> None:
    event = requested(tenant, conversation, DOG, ("assistant", "A good name."))
    hold(brain, event)
    if consolidated:
        brain.consolidation().handler(logged(event))
    [(_, record_id)] = recalled(brain, tenant, conversation)
    assert brain.forget(tenant, [record_id]) == 1
    assert recalled(brain, tenant, conversation) == []
    assert [item.content for item in brain.working(tenant, conversation)] == ["A good name."]
    brain.consolidation().handler(logged(event))
    assert recalled(brain, tenant, conversation) == []
    assert brain.forget(tenant, [record_id]) == 0


def test_one_that_working_memory_calls_by_an_older_name_goes_too(
    brain: Brain, tenant: UUID, conversation: UUID
) -> None:
    earlier, here = (requested(tenant, conversation, DOG) for _ in range(2))
    brain.consolidation().handler(logged(earlier))
    hold(brain, here)
    brain.consolidation().handler(logged(here, 2))
    [(_, record_id)] = recalled(brain, tenant, conversation)
    assert brain.forget(tenant, [record_id]) == 1
    assert brain.working(tenant, conversation) == ()
    for sequence, event in enumerate([earlier, here], start=1):
        brain.consolidation().handler(logged(event, sequence))
    assert recalled(brain, tenant, conversation) == []


def test_what_was_never_there_counts_nothing(brain: Brain, tenant: UUID) -> None:
    assert brain.forget(tenant, [new_id()]) == 0
    assert brain.forget(tenant, []) == 0


@pytest.mark.req("AUTH-004")
def test_nobody_forgets_for_another_tenant(
    brain: Brain, tenant: UUID, other_tenant: UUID, conversation: UUID
) -> None:
    event = requested(tenant, conversation, DOG)
    hold(brain, event)
    [(_, record_id)] = recalled(brain, tenant, conversation)
    assert brain.forget(other_tenant, [record_id]) == 0
    assert brain.forget_conversation(other_tenant, NAMESPACE, conversation) == 0
    brain.consolidation().handler(logged(event))
    assert len(recalled(brain, tenant, conversation)) == 1


def test_a_conversation_is_forgotten_and_goes_on(brain: Brain, tenant: UUID, conversation: UUID) -> None:
    first, second = (requested(tenant, conversation, text, number=number)
                     for number, text in enumerate([DOG, "My dog is three years old"]))  # fmt: skip
    kept = requested(tenant, new_id(), "My dog loves the sea")
    for event in (first, second):
        hold(brain, event)
    brain.consolidation().handler(logged(first, 1))
    brain.consolidation().handler(logged(kept, 2))
    assert brain.forget_conversation(tenant, NAMESPACE, conversation) == 2
    assert brain.working(tenant, conversation) == ()
    assert brain.segment(tenant, conversation) is None
    for sequence, event in enumerate([first, kept, second], start=1):
        brain.consolidation().handler(logged(event, sequence))
    assert [content for content, _ in recalled(brain, tenant, conversation)] == ["My dog loves the sea"]

    payload = dict(requested(tenant, conversation, "My dog is called Bo").payload)
    payload["items"][0]["occurred_at"] = now().isoformat()
    later = Event(tenant_id=tenant, type=first.type, key="turn", payload=payload, trace_id="t")
    hold(brain, first)
    hold(brain, later)
    brain.consolidation().handler(logged(later, 4))
    assert [item.content for item in brain.working(tenant, conversation)] == ["My dog is called Bo"]
    assert "My dog is called Bo" in dict(recalled(brain, tenant, conversation))


@pytest.mark.parametrize("step", ["consolidate", "segmented", "remembered"])
def test_what_is_forgotten_while_it_is_being_remembered_stays_forgotten(
    brain: Brain, tenant: UUID, conversation: UUID, step: str
) -> None:
    event = requested(tenant, conversation, DOG)
    hold(brain, event)
    [(_, record_id)] = recalled(brain, tenant, conversation)

    class Forgets:
        def phase(self, name: str, turn_id: UUID, iteration: int) -> None:
            if name == step:
                brain.forget(tenant, [record_id])

    Brain(brain._memory, brain._embedder, observer=Forgets()).consolidation().handler(logged(event))
    assert recalled(brain, tenant, conversation) == []
    brain.consolidation().handler(logged(event))
    assert recalled(brain, tenant, conversation) == []


@pytest.mark.parametrize("consolidated", [False, True])
def test_an_owner_forgets_what_is_at_hand_as_well(
    brain: Brain, tenant: UUID, conversation: UUID, consolidated: bool
) -> None:
    owner, stranger = new_id(), new_id()
    event = requested(tenant, conversation, DOG, namespace=str(owner))
    hold(brain, event)
    if consolidated:
        brain.consolidation().handler(logged(event))
    [item] = brain.working(tenant, conversation)
    assert brain.forget_own(tenant, stranger, [item.known_id]) == 0
    assert len(brain.working(tenant, conversation)) == 1
    assert brain.forget_own(tenant, owner, [item.known_id]) == 1
    assert brain.working(tenant, conversation) == ()
    brain.consolidation().handler(logged(event))
    assert brain.get(tenant, owner, [item.known_id]) == []


def test_a_namespace_is_forgotten_with_what_is_at_hand_of_it(
    brain: Brain, tenant: UUID, conversation: UUID
) -> None:
    owner, other = new_id(), new_id()
    said = [
        requested(tenant, conversation, text, namespace=str(owner), number=number)
        for number, text in enumerate([DOG, "My dog is three years old"])
    ]
    kept = requested(tenant, new_id(), "My dog loves the sea", namespace=str(other))
    for event in (*said, kept):
        hold(brain, event)
    brain.consolidation().handler(logged(said[0], 1))
    assert brain.forget_namespace(tenant, owner, "default", before=BEGINNING) == 0
    assert brain.forget_namespace(tenant, owner, "default") == 2
    assert brain.working(tenant, conversation) == ()
    for sequence, event in enumerate([*said, kept], start=1):
        brain.consolidation().handler(logged(event, sequence))
    assert brain.namespaces(tenant, owner) == []
    assert [each.memories for each in brain.namespaces(tenant, other)] == [1]
