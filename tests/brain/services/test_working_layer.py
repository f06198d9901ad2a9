"""Recall from what a conversation has at hand."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from numpy.typing import NDArray

from soma.base.canonical import sha256_hex
from soma.base.database import tenant_transaction
from soma.base.ids import new_id
from soma.brain.api import (
    Brain,
    Embedder,
    Layer,
    Recall,
    RecallFilter,
    RecallRequest,
    UtteranceKind,
)
from soma.events.api import Event
from tests.brain.requested import BEGINNING, NAMESPACE, logged, requested

pytestmark = [pytest.mark.req("MEM-002"), pytest.mark.req("MEM-006")]

DOG = "My dog is called Rex"
QUESTION = "What is my dog's name?"


@pytest.fixture
def conversation() -> UUID:
    return new_id()


def hold(brain: Brain, *events: Event) -> None:
    for event in events:
        with tenant_transaction(event.tenant_id):
            brain.hold(event, novelty=1.0, used=())


def consolidate(brain: Brain, *events: Event) -> None:
    for sequence, event in enumerate(events, start=1):
        brain.consolidation().handler(logged(event, sequence))


def ask(brain: Brain, tenant: UUID, conversation: UUID | None, query: str = QUESTION, **more: Any) -> Recall:
    values: dict[str, Any] = {"tenant_id": tenant, "agent_id": None, "namespace": NAMESPACE, "query": query}
    return brain.recall(RecallRequest(**values, conversation_id=conversation, **more))


def shown(recall: Recall) -> list[tuple[str, str]]:
    return [(each.content, each.layer.value) for each in recall.evidence]


def test_what_was_said_is_recalled_before_it_is_consolidated(
    brain: Brain, tenant: UUID, conversation: UUID
) -> None:
    hold(brain, requested(tenant, conversation, DOG, ("assistant", "What a lovely name!")))
    found = ask(brain, tenant, conversation)
    assert shown(found) == [(DOG, "working")]
    [item] = [each for each in brain.working(tenant, conversation) if each.content == DOG]
    [evidence] = found.evidence
    assert evidence.record_id == item.id
    assert evidence.provenance["conversation_id"] == str(conversation)
    assert evidence.features["similarity"] == pytest.approx(0.65, abs=0.05)
    assert found.novelty == pytest.approx(1.0 - 0.65, abs=0.05)


def test_it_is_of_that_conversation_alone(brain: Brain, tenant: UUID, conversation: UUID) -> None:
    hold(brain, requested(tenant, conversation, DOG))
    assert shown(ask(brain, tenant, None)) == []
    assert shown(ask(brain, tenant, new_id())) == []


@pytest.mark.req("AUTH-004")
def test_it_is_of_that_tenant_and_namespace_alone(
    brain: Brain, tenant: UUID, other_tenant: UUID, conversation: UUID
) -> None:
    hold(brain, requested(tenant, conversation, DOG))
    assert shown(ask(brain, other_tenant, conversation)) == []
    request = RecallRequest(
        tenant_id=tenant,
        agent_id=None,
        namespace="somebody else",
        query=QUESTION,
        conversation_id=conversation,
    )
    assert brain.recall(request).evidence == ()


def test_both_layers_are_asked_and_nothing_comes_twice(
    brain: Brain, tenant: UUID, conversation: UUID
) -> None:
    first, second, third = (
        requested(tenant, where, text, number=number)
        for number, (where, text) in enumerate(
            [(new_id(), "My dog Max has died"), (conversation, DOG), (conversation, "Rex is a clever dog")]
        )
    )
    hold(brain, second, third)
    consolidate(brain, first, second)
    found = ask(brain, tenant, conversation, min_score=0.0)
    assert sorted(shown(found)) == [
        ("My dog Max has died", "long_term"),
        (DOG, "working"),
        ("Rex is a clever dog", "working"),
    ]
    consolidate(brain, first, second, third)
    assert sorted(shown(ask(brain, tenant, conversation, min_score=0.0))) == sorted(shown(found))


def test_what_memory_has_under_another_name_comes_once(
    brain: Brain, tenant: UUID, conversation: UUID
) -> None:
    earlier, here = (requested(tenant, conversation, DOG) for _ in range(2))
    consolidate(brain, earlier)
    hold(brain, here)
    [before] = ask(brain, tenant, conversation).evidence
    consolidate(brain, here)
    [after] = ask(brain, tenant, conversation).evidence
    assert before.record_id == after.record_id
    assert (before.layer, after.layer) == (Layer.WORKING, Layer.WORKING)


def test_the_evidence_keeps_its_name_when_it_is_consolidated(
    brain: Brain, tenant: UUID, conversation: UUID
) -> None:
    event = requested(tenant, conversation, DOG)
    hold(brain, event)
    [before] = ask(brain, tenant, conversation).evidence
    consolidate(brain, event)
    [after] = ask(brain, tenant, conversation).evidence
    assert after.record_id == before.record_id
    assert after.features["similarity"] == pytest.approx(before.features["similarity"], abs=0.005)
    assert ask(brain, tenant, None).evidence[0].record_id == before.record_id


def test_a_sentence_within_is_found(brain: Brain, tenant: UUID, conversation: UUID) -> None:
    text = "The ferry to the islands leaves at noon. My dog is called Rex. Interest rates rose in spring."
    hold(brain, requested(tenant, conversation, text))
    [evidence] = ask(brain, tenant, conversation).evidence
    assert evidence.features["best_sentence"] > evidence.features["similarity"] + 0.1


def test_filters_hold_for_what_is_at_hand(brain: Brain, tenant: UUID, conversation: UUID) -> None:
    hold(
        brain,
        requested(tenant, conversation, DOG, ("assistant", "Your dog's name is Rex."), number=5),
        requested(tenant, conversation, "What is the name of my dog?", number=6),
    )
    assert shown(ask(brain, tenant, conversation)) == [(DOG, "working")]
    replies = ask(brain, tenant, conversation, kinds=(UtteranceKind.REPLY,))
    assert shown(replies) == [("Your dog's name is Rex.", "working")]
    assert len(shown(ask(brain, tenant, conversation, kinds=None))) == 3
    assert shown(ask(brain, tenant, conversation, as_of=BEGINNING + timedelta(minutes=4))) == []
    own = sha256_hex(DOG.encode())
    assert shown(ask(brain, tenant, conversation, exclude_input_hash=own)) == []


@pytest.mark.parametrize(
    ("only", "answers"),
    [
        (RecallFilter(roles=("user",)), True),
        (RecallFilter(roles=("assistant",)), False),
        (RecallFilter(speakers=("Ada",)), False),
        (RecallFilter(since=BEGINNING + timedelta(minutes=1)), True),
        (RecallFilter(since=BEGINNING + timedelta(minutes=2)), False),
        (RecallFilter(until=BEGINNING + timedelta(minutes=1)), False),
        (RecallFilter(provenance={"trace_id": ("other", "trace")}), True),
        (RecallFilter(provenance={"trace_id": ("other",)}), False),
        (RecallFilter(provenance={"nothing": ("None",)}), False),
    ],
)
@pytest.mark.parametrize("consolidated", [False, True])
def test_what_is_at_hand_meets_filters_as_memories_do(
    brain: Brain, tenant: UUID, conversation: UUID, only: RecallFilter, answers: bool, consolidated: bool
) -> None:
    event = requested(tenant, conversation, DOG, number=1)
    hold(brain, event)
    if consolidated:
        consolidate(brain, event)
    assert shown(ask(brain, tenant, conversation, only=only)) == [(DOG, "working")] * answers


def test_while_nobody_consolidates_nothing_is_embedded_twice(
    brain: Brain, embedder: Embedder, tenant: UUID, conversation: UUID
) -> None:
    embedded: list[str] = []

    class Counts:
        name, dimensions = f"counting {new_id()}", embedder.dimensions

        def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
            return embedder.embed(texts)

        def embed_parts(
            self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]
        ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
            embedded.extend(texts)
            return embedder.embed_parts(texts, spans)

    counting = Brain(brain._memory, Counts())
    for number, fact in enumerate([DOG, "I live in Lisbon. It rains there in winter."]):
        hold(brain, requested(tenant, conversation, fact, number=number))
        for _ in range(2):
            assert shown(ask(counting, tenant, conversation)) == [(DOG, "working")]
    assert sorted(embedded) == sorted([DOG, "I live in Lisbon. It rains there in winter."])


def test_what_was_deleted_from_memory_is_not_at_hand_either(
    brain: Brain, tenant: UUID, conversation: UUID
) -> None:
    """Whichever way it was deleted."""
    event = requested(tenant, conversation, DOG)
    hold(brain, event)
    consolidate(brain, event)
    [item] = brain.working(tenant, conversation)
    assert item.record_id is not None
    with tenant_transaction(tenant):
        brain._memory.delete(tenant, [item.record_id])
    found = ask(brain, tenant, conversation)
    assert (found.evidence, found.novelty) == ((), 1.0)


def test_the_same_again_gives_the_same(brain: Brain, tenant: UUID, conversation: UUID) -> None:
    facts = [DOG, "I live in Lisbon", "My cat's name is Luna"]
    hold(brain, *(requested(tenant, conversation, fact, number=number) for number, fact in enumerate(facts)))
    asked = [ask(brain, tenant, conversation, min_score=0.0, as_of=BEGINNING + timedelta(days=1))
             for _ in range(2)]  # fmt: skip
    assert asked[0].evidence == asked[1].evidence


def test_diversity_knows_what_is_at_hand(brain: Brain, tenant: UUID, conversation: UUID) -> None:
    facts = [DOG, "My dog is named Rex", "My dog likes the sea"]
    hold(brain, *(requested(tenant, conversation, fact, number=number) for number, fact in enumerate(facts)))
    plain = [content for content, _ in shown(ask(brain, tenant, conversation, top_k=2))]
    diverse = [content for content, _ in shown(ask(brain, tenant, conversation, top_k=2, diversity=0.9))]
    assert sorted(plain) == sorted(facts[:2])
    assert "My dog likes the sea" in diverse
