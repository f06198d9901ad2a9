"""soma.brain.services.consolidate"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from soma.base.database import tenant_transaction
from soma.base.ids import new_id
from soma.brain.api import Brain, EmbedderUnavailable, NeverRemembered, RecallRequest, RememberUnavailable
from soma.events.api import StoredEvent
from soma.fractalmemory.api import MemoryRecord, Selection
from tests.brain.requested import NAMESPACE, logged, requested
from tests.brain.turns import told

pytestmark = pytest.mark.req("MEM-003")

TURN, CONVERSATION = new_id(), new_id()


def remembered(brain: Brain, tenant: UUID) -> list[MemoryRecord]:
    """What long-term memory holds, in the order of its storing."""
    with tenant_transaction(tenant):
        records = brain._memory.select(tenant, Selection(namespace=NAMESPACE), limit=100)
    return sorted(records, key=lambda record: record.created_at)


def contents(brain: Brain, tenant: UUID) -> list[str]:
    return [record.content for record in remembered(brain, tenant)]


def test_a_turn_is_remembered_once_and_recalled_with_its_origin(brain: Brain, tenant: UUID) -> None:
    consumer = brain.consolidation()
    said = ("My dog is called Rex", ("assistant", "What a lovely name!"))
    turn = logged(requested(tenant, CONVERSATION, *said, turn=TURN))
    assert consumer.types == (turn.type,)
    for _ in range(2):
        consumer.handler(turn)
    question = RecallRequest(
        tenant_id=tenant, agent_id=None, namespace=NAMESPACE, query="What is my dog's name?"
    )
    [evidence] = brain.recall(question).evidence
    assert evidence.content == "My dog is called Rex"
    assert evidence.provenance == {
        "trace_id": "trace",
        "source_turn": str(TURN),
        "conversation_id": str(CONVERSATION),
        "agent_id": "agent",
        "input_hash": turn.payload["items"][0]["input_hash"],
        "kind": "statement",
        "segment": 1,
    }


def test_whatever_comes_again_changes_nothing(brain: Brain, tenant: UUID) -> None:
    """As after a crash that lost how far the consumer had come."""
    facts = ["My dog is called Rex", "I live in Lisbon", "The stock market fell", "We sail in June"]
    events = [
        logged(requested(tenant, CONVERSATION, fact, number=number), number)
        for number, fact in enumerate(facts, start=1)
    ]
    for event in events:
        brain.consolidation().handler(event)
    before, segment = remembered(brain, tenant), brain.segment(tenant, CONVERSATION)
    for event in events:
        brain.consolidation().handler(event)
    assert remembered(brain, tenant) == before
    assert [record.content for record in before] == facts
    assert brain.segment(tenant, CONVERSATION) == segment


def test_while_memory_is_down_the_event_is_not_done_with(cut_off_brain: Brain, tenant: UUID) -> None:
    with pytest.raises(RememberUnavailable):
        cut_off_brain.consolidation().handler(logged(requested(tenant, CONVERSATION, "My dog is called Rex")))


def test_while_the_embedder_is_down_the_event_is_not_done_with(brain: Brain, tenant: UUID) -> None:
    class Gone:
        name, dimensions = "gone", 384

        def embed(self, texts: Any) -> Any:
            raise EmbedderUnavailable("the model is not there")

        def embed_parts(self, texts: Any, spans: Any) -> Any:
            return self.embed(texts)

    with pytest.raises(EmbedderUnavailable):
        Brain(brain._memory, Gone()).consolidation().handler(
            logged(requested(tenant, CONVERSATION, "My dog is called Rex"))
        )
    assert contents(brain, tenant) == []


def broken(event: StoredEvent, **changes: Any) -> StoredEvent:
    event.payload["items"][0] |= changes
    return event


@pytest.mark.parametrize(
    "changes", [{"content": "x" * 40_000}, {"importance": 7.0}, {"occurred_at": "2026-01-01T00:00:00"}]
)
def test_what_can_never_be_remembered_is_told_and_the_rest_remembered(
    brain: Brain, tenant: UUID, changes: dict[str, Any]
) -> None:
    event = logged(requested(tenant, CONVERSATION, "My dog is called Rex", ("assistant", "A good name.")))
    with pytest.raises(NeverRemembered, match=event.payload["items"][0]["key"]):
        brain.consolidation().handler(broken(event, **changes))
    assert contents(brain, tenant) == ["A good name."]


def test_a_payload_that_cannot_be_read_is_told(brain: Brain, tenant: UUID) -> None:
    event = logged(requested(tenant, CONVERSATION, "My dog is called Rex"))
    with pytest.raises(ValueError, match="isoformat"):
        brain.consolidation().handler(broken(event, occurred_at="yesterday"))
    event.payload.clear()
    with pytest.raises(KeyError):
        brain.consolidation().handler(event)


def test_each_step_is_told(brain: Brain, tenant: UUID) -> None:
    """A test that kills the process in the middle stands on this."""
    seen: list[tuple[str, UUID, int]] = []

    class Watch:
        def phase(self, name: str, turn_id: UUID, iteration: int) -> None:
            seen.append((name, turn_id, iteration))

    watched = Brain(brain._memory, brain._embedder, observer=Watch())
    watched.consolidation().handler(logged(requested(tenant, CONVERSATION, "I live in Lisbon", turn=TURN)))
    steps = ("consolidate", "segmented", "remembered", "consolidated")
    assert seen == [(name, TURN, -1) for name in steps]


def memories(brain: Brain, tenant: UUID) -> list[str]:
    request = RecallRequest(
        tenant_id=tenant,
        agent_id=None,
        namespace="person",
        query="dog",
        kinds=None,
        min_score=0.0,
        top_k=100,
    )
    return sorted(each.content for each in brain.recall(request).evidence)


def turned(tenant: UUID, evidence: Sequence[UUID] = (), *said: tuple[str, str]) -> StoredEvent:
    """A turn of its own, given `evidence`."""
    first = logged(requested(tenant, CONVERSATION, *said, turn=new_id()))
    return replace(first, payload={**first.payload, "evidence": [str(each) for each in evidence]})


@pytest.mark.req("MEM-001")
def test_chatter_is_left_out_of_what_a_turn_leaves(brain: Brain, tenant: UUID) -> None:
    handle = brain.consolidation().handler
    handle(turned(tenant, (), ("user", "ok, thanks!"), ("assistant", "You are welcome!")))
    handle(turned(tenant, (), ("user", "My dog is called Rex"), ("assistant", "Great!")))
    assert memories(brain, tenant) == ["My dog is called Rex"]
    assert len(brain.remember(tenant, [told("ok", namespace="person")]).stored) == 1


@pytest.mark.req("MEM-001")
def test_a_word_is_kept_while_nothing_like_it_is_known(brain: Brain, tenant: UUID) -> None:
    handle = brain.consolidation().handler
    for _ in range(2):
        handle(turned(tenant, (), ("user", "Turquoise.")))
    assert memories(brain, tenant) == ["Turquoise."]


@pytest.mark.req("MEM-001")
def test_of_a_reply_only_what_is_new_is_kept(brain: Brain, tenant: UUID) -> None:
    [fact] = brain.remember(tenant, [told("My dog is called Rex.", namespace="person")]).stored
    reply = "Your dog is called Rex. The vet in Almada opens at nine."
    brain.consolidation().handler(turned(tenant, [fact.record_id], ("assistant", reply)))
    assert memories(brain, tenant) == ["My dog is called Rex.", "The vet in Almada opens at nine."]


FACTS = [
    "My dog is called Rex.",
    "Ada plays chess on Mondays.",
    "We moved to Lisbon in 2019.",
    "Tea is at four.",
]


@pytest.mark.req("MEM-001")
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    facts=st.lists(st.sampled_from(FACTS), min_size=1, max_size=4, unique=True),
    echoes=st.lists(
        st.tuples(
            st.lists(st.sampled_from(FACTS), min_size=1, max_size=3),
            st.sampled_from(["assistant", "tool"]),
            st.sampled_from(["{}", "You told me that {}", "Ok! {}", "{} Great!"]),
            st.booleans(),
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_what_is_recalled_and_repeated_never_grows_memory(
    brain: Brain, facts: list[str], echoes: list[tuple[list[str], str, str, bool]]
) -> None:
    tenant = new_id()
    stored = brain.remember(tenant, [told(fact, namespace="person") for fact in facts]).stored
    handle, known = brain.consolidation().handler, sorted(facts)
    for said, role, frame, twice in echoes:
        echo = " ".join(fact for fact in said if fact in facts)
        if not echo:
            continue
        turn = turned(tenant, [each.record_id for each in stored], (role, frame.format(echo)))
        for _ in range(1 + twice):
            handle(turn)
        assert memories(brain, tenant) == known


@pytest.mark.req("MEM-001")
def test_a_repeat_is_known_also_where_the_turn_does_not_tell_its_evidence(brain: Brain, tenant: UUID) -> None:
    brain.remember(tenant, [told("My dog is called Rex.", namespace="person")])
    brain.consolidation().handler(turned(tenant, (), ("assistant", "Your dog is called Rex.")))
    assert memories(brain, tenant) == ["My dog is called Rex."]
