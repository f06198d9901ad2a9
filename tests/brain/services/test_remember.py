"""soma.brain.services.remember"""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from soma.base.database import tenant_transaction
from soma.base.ids import new_id
from soma.brain.api import Brain, RecallRequest, RefusalReason, RememberUnavailable
from soma.brain.services.prepare import PAGE
from soma.fractalmemory.adapters.vector_store_pgvector import PgvectorStore
from soma.fractalmemory.api import MemoryRecord
from tests.brain.turns import NEW_YEAR, told


def kept(tenant: UUID, *ids: UUID) -> list[MemoryRecord]:
    with tenant_transaction(tenant):
        return PgvectorStore().get(tenant, ids)


@pytest.mark.req("MEM-001")
def test_keeps_what_it_is_told_with_its_provenance(brain: Brain, tenant: UUID) -> None:
    item = told(
        "My dog is called Rex",
        key="turn-1/user",
        speaker="Ada",
        importance=0.7,
        provenance={"trace_id": "t", "source_turn": "turn-1", "conversation_id": "c", "input_hash": "h"},
    )
    result = brain.remember(tenant, [item])
    [stored] = result.stored
    [record] = kept(tenant, stored.record_id)
    assert (stored.key, stored.namespace, stored.rewritten) == ("turn-1/user", "n", False)
    assert (record.content, record.role, record.speaker) == ("My dog is called Rex", "user", "Ada")
    assert (record.occurred_at, record.importance) == (NEW_YEAR, 0.7)
    assert record.provenance == {**item.provenance, "kind": "statement"}
    assert not result.deduplicated
    assert not result.refused


@pytest.mark.req("MEM-001")
def test_what_fills_several_pages_is_kept_in_its_order_as_if_told_alone(brain: Brain, tenant: UUID) -> None:
    items = [told(f"Locker {number} holds {number % 7} coats. It is shut.") for number in range(2 * PAGE + 9)]

    together = [each.record_id for each in brain.remember(tenant, items).stored]

    assert together == sorted(together)
    by_id = {record.id: record.content for record in kept(tenant, *together)}
    assert [by_id[each] for each in together] == [item.content for item in items]
    some = range(0, len(items), PAGE)
    alone = [brain.remember(tenant, [replace(items[n], namespace="alone")]).stored[0].record_id for n in some]
    with tenant_transaction(tenant):
        vectors = PgvectorStore().vectors(tenant, [*together, *alone])
    for place, record_id in zip(some, alone, strict=True):
        assert vectors[record_id].tolist() == vectors[together[place]].tolist()


@pytest.mark.req("MEM-001")
def test_each_item_of_several_pages_is_judged_in_its_place(brain: Brain, tenant: UUID) -> None:
    some, page = range(PAGE - 2, 2 * PAGE + 2, 3), range(2 * PAGE, 3 * PAGE)
    items = [told(f"Locker {n} is shut.", key=f"k{n}") for n in range(3 * PAGE + 1)]
    items = [replace(each, content="") if n in {*some, *page} else each for n, each in enumerate(items)]

    result = brain.remember(tenant, items)

    empty = [item.key for item in items if not item.content]
    assert [each.key for each in result.decisions] == [item.key for item in items]
    assert [each.key for each in result.refused] == empty
    assert [each.key for each in result.stored] == [item.key for item in items if item.content]
    with tenant_transaction(tenant):
        assert PgvectorStore().count(tenant, "n") == len(items) - len(empty)


@pytest.mark.req("MEM-001")
def test_marks_what_only_asks(brain: Brain, tenant: UUID) -> None:
    items = [
        told("What is my name?"),
        told("Tell me a joke"),
        told("Your name is Ada.", role="assistant"),
        told("What is love?", provenance={"trace_id": "t", "source_document": "d", "kind": "statement"}),
    ]
    stored = brain.remember(tenant, items).stored
    kinds = {
        record.content: record.provenance["kind"] for record in kept(tenant, *(s.record_id for s in stored))
    }
    assert kinds == {
        "What is my name?": "question",
        "Tell me a joke": "command",
        "Your name is Ada.": "reply",
        "What is love?": "statement",
    }


@pytest.mark.req("MEM-001")
def test_the_same_batch_again_changes_nothing(brain: Brain, tenant: UUID) -> None:
    batch = [told("I live in Lisbon"), told("I am vegetarian")]
    first = brain.remember(tenant, batch)
    again = brain.remember(tenant, batch)
    assert again.stored == ()
    assert again.deduplicated == first.stored


@pytest.mark.req("MEM-001")
def test_content_is_kept_once_a_namespace(brain: Brain, tenant: UUID) -> None:
    [first] = brain.remember(tenant, [told("I live in Lisbon", key="a")]).stored
    again = brain.remember(
        tenant, [told("I live  in Lisbon\n", key="b"), told("I live in Lisbon", key="b", namespace="m")]
    )
    assert [(each.key, each.record_id) for each in again.deduplicated] == [("b", first.record_id)]
    assert [each.namespace for each in again.stored] == ["m"]


@pytest.mark.req("MEM-001")
def test_a_known_key_is_rewritten_and_its_vector_with_it(brain: Brain, tenant: UUID) -> None:
    brain.remember(tenant, [told("I live in Lisbon", key="home")])
    [rewritten] = brain.remember(tenant, [told("My dog is called Rex", key="home")]).stored
    assert rewritten.rewritten
    found = brain.recall(
        RecallRequest(tenant_id=tenant, agent_id=None, namespace="n", query="What is my dog's name?")
    )
    assert [each.content for each in found.evidence] == ["My dog is called Rex"]


@pytest.mark.req("MEM-001")
def test_what_is_refused_has_a_reason_and_the_rest_is_kept(brain: Brain, tenant: UUID) -> None:
    result = brain.remember(
        tenant,
        [
            told(" ", key="empty"),
            told("I live in Lisbon", key="good"),
            told("x" * 40_000, key="long"),
            told(
                "Recalled", provenance={"trace_id": "t", "source_turn": "s", "recalled_from": str(new_id())}
            ),
            told("Nowhere", provenance={}),
        ],
    )
    assert [each.key for each in result.stored] == ["good"]
    assert [(each.key, each.reason) for each in result.refused] == [
        ("empty", RefusalReason.EMPTY),
        ("long", RefusalReason.OVERSIZE),
        ("Recalled", RefusalReason.RECALLED),
        ("Nowhere", RefusalReason.NO_PROVENANCE),
    ]


@pytest.mark.req("MEM-001")
def test_nothing_to_remember_is_no_error(brain: Brain, tenant: UUID) -> None:
    assert brain.remember(tenant, []).stored == ()
    assert brain.remember(tenant, [told("")]).stored == ()


@pytest.mark.req("MEM-001")
def test_what_is_forgotten_is_gone(brain: Brain, tenant: UUID, other_tenant: UUID) -> None:
    item = told("My dog is called Rex")
    [stored] = brain.remember(tenant, [item]).stored
    assert brain.forget(other_tenant, [stored.record_id]) == 0
    assert brain.forget(tenant, [stored.record_id]) == 1
    assert kept(tenant, stored.record_id) == []
    query = RecallRequest(tenant_id=tenant, agent_id=None, namespace="n", query="My dog is called Rex")
    assert brain.recall(query).evidence == ()
    assert brain.recall(query).novelty == 1.0
    assert [each.record_id for each in brain.remember(tenant, [item]).stored] != [stored.record_id]


@pytest.mark.req("MEM-001")
def test_a_store_that_is_down_is_an_error(cut_off_brain: Brain, tenant: UUID) -> None:
    with pytest.raises(RememberUnavailable):
        cut_off_brain.remember(tenant, [told("My dog is called Rex")])


@pytest.mark.req("MEM-001")
def test_a_fact_is_known_once_of_each_speaker(brain: Brain, tenant: UUID) -> None:
    [first] = brain.remember(tenant, [told("I live in Lisbon", key="a", speaker="Ada")]).stored
    later = told("I live in Lisbon", key="b", speaker="Ada", occurred_at=NEW_YEAR + timedelta(days=9))
    assert [each.record_id for each in brain.remember(tenant, [later]).deduplicated] == [first.record_id]
    assert brain.remember(tenant, [told("I live in Lisbon", key="c", speaker="Bob")]).stored


@pytest.mark.req("MEM-001")
@pytest.mark.parametrize(
    "change",
    [
        {"session": "other"},
        {"speaker": "Bob"},
        {"role": "assistant"},
        {"occurred_at": NEW_YEAR + timedelta(seconds=1)},
        {"content": "Yes!"},
    ],
    ids=str,
)
def test_what_is_said_in_a_session_is_an_event_of_its_own(
    brain: Brain, tenant: UUID, change: dict[str, Any]
) -> None:
    event = told("Yes", key="a", session="first", speaker="Ada")
    [first] = brain.remember(tenant, [event]).stored
    [again] = brain.remember(tenant, [replace(event, key="b")]).deduplicated
    assert again.record_id == first.record_id
    [other] = brain.remember(tenant, [replace(event, key="b", **change)]).stored
    assert other.record_id != first.record_id


@pytest.mark.req("MEM-001")
def test_what_is_nearly_the_same_is_two_memories(brain: Brain, tenant: UUID) -> None:
    assert len(brain.remember(tenant, [told("I live in Lisbon"), told("I live in Lisbon now")]).stored) == 2


@pytest.mark.req("MEM-001")
def test_importance_is_given_or_found_from_the_text(brain: Brain, tenant: UUID) -> None:
    items = [told("ok"), told("My dog is called Rex"), told("I live in Lisbon", importance=0.9)]
    stored = brain.remember(tenant, items).stored
    found = {
        record.content: record.importance for record in kept(tenant, *(each.record_id for each in stored))
    }
    assert found["ok"] == 0.0 < found["My dog is called Rex"] < found["I live in Lisbon"] == 0.9


@pytest.mark.req("MEM-001")
def test_a_session_that_was_given_goes_with_the_memory(brain: Brain, tenant: UUID) -> None:
    [stored] = brain.remember(tenant, [told("I live in Lisbon", session="monday")]).stored
    [record] = kept(tenant, stored.record_id)
    assert record.session == record.provenance["session"] == "monday"
