"""Memory, told and asked directly."""

from collections.abc import Callable

import pytest

from tests.interfaces.person import Person, problem

pytestmark = pytest.mark.req("MEM-001")
REMEMBER, RECALL = "/v1/memory/remember", "/v1/memory/recall"


def told(person: Person, content: str, **more: object) -> dict[str, list[dict[str, object]]]:
    """What became of one thing to remember."""
    answer = person.client.post(REMEMBER, json={"items": [{"content": content, **more}]})
    assert answer.status_code == 200, answer.text
    became: dict[str, list[dict[str, object]]] = answer.json()
    return became


@pytest.mark.req("MEM-002")
def test_what_is_told_is_recalled_with_its_origin(person: Person) -> None:
    (kept,) = told(person, "The green kettle stands in the workshop.")["stored"]
    answer = person.client.post(RECALL, json={"query": "Where is the green kettle?"})
    (evidence,) = answer.json()["evidence"]
    assert evidence["record_id"] == kept["record_id"]
    assert evidence["content"] == "The green kettle stands in the workshop."
    assert 0 < evidence["score"] <= 1
    assert evidence["features"]
    assert len(evidence["provenance"]["trace_id"]) == 32
    assert 0 <= answer.json()["novelty"] < 1


def test_same_again_is_not_stored_again(person: Person) -> None:
    first = told(person, "The ladder is behind the shed.")
    again = told(person, "The ladder is behind the shed.")
    assert again["stored"] == []
    assert again["deduplicated"][0]["record_id"] == first["stored"][0]["record_id"]


@pytest.mark.req("AUTH-004")
def test_nobody_recalls_what_another_told(person: Person, newcomer: Callable[[], Person]) -> None:
    told(person, "The safe opens with 4711.")
    answer = newcomer().client.post(RECALL, json={"query": "What opens the safe?"})
    assert answer.json()["evidence"] == []


@pytest.mark.req("AUTH-002")
def test_observer_recalls_and_does_not_tell(observer: Person) -> None:
    assert observer.client.post(RECALL, json={"query": "anything"}).status_code == 200
    problem(observer.client.post(REMEMBER, json={"items": [{"content": "anything"}]}), 403, "denied")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"items": []},
        {"items": [{"content": "a"}] * 101},
        {"items": [{"content": " "}]},
        {"items": [{"content": "a", "importance": 2}]},
        {"items": [{"content": "a", "occurred_at": 5}]},
        {"items": [{"content": "a", "occurred_at": "2026-01-01T00:00:00"}]},
        {"items": [{"content": "a", "namespace": "somebody else's"}]},
    ],
)
def test_bad_memory_is_refused_and_nothing_stored(person: Person, body: dict[str, object]) -> None:
    before = person.rows()
    problem(person.client.post(REMEMBER, json=body), 422, "invalid_input")
    assert person.rows() == before


@pytest.mark.req("MEM-002")
@pytest.mark.parametrize("body", [{"query": ""}, {"query": "a", "top_k": 0}, {"query": "a", "min_score": 2}])
def test_bad_question_is_refused(person: Person, body: dict[str, object]) -> None:
    problem(person.client.post(RECALL, json=body), 422, "invalid_input")


@pytest.mark.req("MEM-002")
def test_top_k_past_the_limit_names_it(person: Person) -> None:
    document = problem(person.client.post(RECALL, json={"query": "a", "top_k": 101}), 422, "limit_exceeded")
    assert document["maximum"] == 100
