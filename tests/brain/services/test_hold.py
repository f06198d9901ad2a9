"""soma.brain.services.hold and working_rows"""

from uuid import UUID

import pytest
from django.db import transaction

from soma.base.database import tenant_transaction
from soma.base.ids import new_id
from soma.brain.api import Brain, Embedder, WorkingSettings
from soma.events.api import Event
from soma.fractalmemory.adapters.vector_store_pgvector import PgvectorStore
from soma.fractalmemory.api import FractalMemory
from tests.brain.requested import NAMESPACE, logged, requested

pytestmark = pytest.mark.req("MEM-006")

FACTS = [
    "My dog is called Rex",
    "I live in Lisbon",
    "The kettle is green",
    "We sail in June",
    "My sister plays the cello",
]


@pytest.fixture
def conversation() -> UUID:
    return new_id()


@pytest.fixture
def narrow_brain(embedder: Embedder) -> Brain:
    """One with room for three things."""
    return Brain(FractalMemory(PgvectorStore()), embedder, working=WorkingSettings(capacity=3))


def hold(brain: Brain, event: Event, *, novelty: float = 1.0, used: tuple[UUID, ...] = ()) -> None:
    with tenant_transaction(event.tenant_id):
        brain.hold(event, novelty=novelty, used=used)


def contents(brain: Brain, tenant: UUID, conversation: UUID) -> list[str]:
    return [item.content for item in brain.working(tenant, conversation)]


def test_a_turn_is_at_hand_with_all_that_is_known_of_it(
    brain: Brain, tenant: UUID, conversation: UUID
) -> None:
    event = requested(tenant, conversation, "My dog is called Rex", ("assistant", "A good name."))
    hold(brain, event, novelty=0.5)
    said, answered = sorted(brain.working(tenant, conversation), key=lambda item: item.role, reverse=True)
    assert (said.content, said.role, said.namespace) == ("My dog is called Rex", "user", NAMESPACE)
    assert said.salience == pytest.approx(0.6 * 0.5 + 0.4 * 0.7)
    assert answered.salience == pytest.approx(0.6 * 0.5 + 0.4 * 0.3)
    assert (said.turn, said.last_use, said.record_id, said.vector) == (1, 1, None, None)
    assert said.provenance["kind"] == "statement"
    assert said.provenance["source_turn"] == event.payload["turn_id"]


def test_the_same_turn_again_changes_nothing(brain: Brain, tenant: UUID, conversation: UUID) -> None:
    event = requested(tenant, conversation, "My dog is called Rex")
    hold(brain, event)
    before = brain.working(tenant, conversation)
    hold(brain, event)
    assert brain.working(tenant, conversation) == before


def test_nothing_is_at_hand_of_a_turn_that_did_not_commit(
    brain: Brain, tenant: UUID, conversation: UUID
) -> None:
    with tenant_transaction(tenant):
        brain.hold(requested(tenant, conversation, "My dog is called Rex"), novelty=1.0, used=())
        transaction.set_rollback(True)
    assert brain.working(tenant, conversation) == ()


def test_it_is_bounded_and_the_oldest_of_equals_leaves(
    narrow_brain: Brain, tenant: UUID, conversation: UUID
) -> None:
    for number, fact in enumerate(FACTS):
        hold(narrow_brain, requested(tenant, conversation, fact, number=number))
    assert contents(narrow_brain, tenant, conversation) == FACTS[2:]


def test_what_was_of_use_outlives_what_was_not(narrow_brain: Brain, tenant: UUID, conversation: UUID) -> None:
    for number, fact in enumerate(FACTS[:3]):
        hold(narrow_brain, requested(tenant, conversation, fact, number=number))
    [first, *_] = narrow_brain.working(tenant, conversation)
    for number, fact in enumerate(FACTS[3:], start=3):
        hold(narrow_brain, requested(tenant, conversation, fact, number=number), used=(first.known_id,))
    assert contents(narrow_brain, tenant, conversation) == [FACTS[0], FACTS[3], FACTS[4]]


def test_what_is_said_again_takes_no_second_place(brain: Brain, tenant: UUID, conversation: UUID) -> None:
    for number in range(3):
        hold(brain, requested(tenant, conversation, "My dog is called  Rex", number=number))
    [item] = brain.working(tenant, conversation)
    assert (item.turn, item.last_use) == (1, 3)


def test_what_is_not_salient_stays_out(brain: Brain, tenant: UUID, conversation: UUID) -> None:
    hold(brain, requested(tenant, conversation, "ok", ("assistant", "ok then")), novelty=0.0)
    assert brain.working(tenant, conversation) == ()


def test_what_the_guard_refuses_stays_out(brain: Brain, tenant: UUID, conversation: UUID) -> None:
    hold(brain, requested(tenant, conversation, "x" * 40_000, ("assistant", "Too long for me.")))
    assert contents(brain, tenant, conversation) == ["Too long for me."]


@pytest.mark.req("AUTH-004")
def test_tenants_and_conversations_are_apart(
    brain: Brain, tenant: UUID, other_tenant: UUID, conversation: UUID
) -> None:
    hold(brain, requested(tenant, conversation, "My dog is called Rex"))
    assert brain.working(other_tenant, conversation) == ()
    assert brain.working(tenant, new_id()) == ()


@pytest.mark.req("MEM-003")
def test_consolidation_tells_it_the_memory_and_the_vector(
    brain: Brain, embedder: Embedder, tenant: UUID, conversation: UUID
) -> None:
    event = requested(tenant, conversation, "My dog is called Rex")
    hold(brain, event)
    [before] = brain.working(tenant, conversation)
    brain.consolidation().handler(logged(event))
    [after] = brain.working(tenant, conversation)
    assert after.record_id == before.id == after.known_id
    assert after.vector is not None
    assert after.vector @ embedder.embed(["My dog is called Rex"])[0] == pytest.approx(1.0, abs=1e-5)


@pytest.mark.req("MEM-003")
def test_what_memory_knew_already_is_called_by_its_old_name(
    brain: Brain, tenant: UUID, conversation: UUID
) -> None:
    earlier, here = (requested(tenant, conversation, FACTS[0]) for _ in range(2))
    brain.consolidation().handler(logged(earlier))
    hold(brain, here)
    brain.consolidation().handler(logged(here, 2))
    [item] = brain.working(tenant, conversation)
    assert item.record_id is not None
    assert item.record_id != item.id
