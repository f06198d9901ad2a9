"""The context bundle over HTTP, on the real engine and the real model's tokens."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.interfaces.person import Person, problem

pytestmark = pytest.mark.req("CTXB-001")
EVALUATE = "/v1/brain/evaluate"
FACT = "My kettle is green and stands in the workshop."
QUESTION = {"query": "Where does my kettle stand?"}


def tell(person: Person, content: str = FACT, **more: str) -> str:
    answer = person.client.post("/v1/memory/remember", json={"items": [{"content": content}], **more})
    assert answer.status_code == 200, answer.text
    identity: str = answer.json()["stored"][0]["record_id"]
    return identity


def rows(person: Person) -> dict[str, int]:
    """How many rows there are, but of what follows a telling in the background."""
    return {table: count for table, count in person.rows().items() if table != "density_sketch"}


def evaluated(person: Person, **wanted: object) -> dict[str, Any]:
    answer = person.client.post(EVALUATE, json={**QUESTION, **wanted})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def test_a_bundle_holds_all_that_a_message_would_meet(person: Person) -> None:
    identity = tell(person)
    bundle = evaluated(person)
    assert [each["record_id"] for each in bundle["evidence"]] == [identity]
    assert bundle["evidence"][0]["confidence"] > 0.5
    assert [part["lane"] for part in bundle["prompts"]] == ["system", "system", "memory", ""]
    assert FACT in bundle["prompts"][2]["text"]
    lanes = bundle["lane_budget"]["lanes"]
    assert sum(lane["share"] for lane in lanes) == pytest.approx(1)
    assert min(lane["share"] for lane in lanes) >= 0.05
    assert sum(lane["tokens"] for lane in lanes) == bundle["lane_budget"]["budget"]
    assert {lane["lane"]: lane["used"] > 0 for lane in lanes}["memory"]
    assert (bundle["weights"]["lambda"], bundle["neuromodulators"]["dopamine"]) == (1.0, 0.5)
    assert (bundle["segment"], bundle["agent"]) == (None, "soma")
    best = bundle["suggestions"][0]
    assert best["action"] == "answer_from_memory"
    assert best["terms"]["confidence"]["source"] == "calibrated"
    assert best["utility"] == pytest.approx(sum(term["adds"] for term in best["terms"].values()), abs=1e-5)
    told = {each["action"]: each for each in bundle["directives"]}
    assert told["memory:read"]["effect"] == "may"
    assert len(told["memory:read"]["policy_hash"]) == 64


@pytest.mark.req("CTX-001")
def test_a_small_budget_names_what_is_left_out(person: Person) -> None:
    identity = tell(person)
    lanes = {lane["lane"]: lane for lane in evaluated(person, token_budget=50)["lane_budget"]["lanes"]}
    [item] = lanes["memory"]["cut"]
    assert (item["id"], item["reason"]) == (identity, "no_room")
    assert item["tokens"] > lanes["memory"]["tokens"] == 10


def test_nothing_is_stored(person: Person) -> None:
    fresh = rows(person)
    assert evaluated(person)["agent_id"] is None
    assert rows(person) == fresh
    conversation = person.conversation()
    tell(person)
    before = rows(person)
    bundle = evaluated(person, conversation_id=conversation)
    assert bundle["agent_id"] is not None
    assert bundle["evidence"]
    assert rows(person) == before


def test_a_namespace_is_evaluated_apart(person: Person) -> None:
    tell(person)
    assert evaluated(person, namespace="travels")["evidence"] == []


def test_tools_that_the_policy_denies_are_not_suggested(observer: Person, person: Person) -> None:
    bundle = evaluated(observer)
    tools = [each for each in bundle["directives"] if each["action"] == "tool:execute"]
    assert {each["effect"] for each in tools} == {"must_not"}
    assert not any(each["target"] for each in bundle["suggestions"])
    assert any(each["target"] for each in evaluated(person)["suggestions"])


@pytest.mark.req("AUTH-004")
def test_nobody_meets_anothers_memory_or_conversation(person: Person, newcomer: Callable[[], Person]) -> None:
    tell(person)
    stranger = newcomer()
    assert evaluated(stranger)["evidence"] == []
    wanted = {**QUESTION, "conversation_id": person.conversation()}
    problem(stranger.client.post(EVALUATE, json=wanted), 404, "not_found")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"query": " "},
        {"query": "a\u0000"},
        {"query": 3},
        {**QUESTION, "top_k": 0},
        {**QUESTION, "token_budget": 0},
        {**QUESTION, "namespace": "Not:mine"},
        {**QUESTION, "conversation_id": "nonsense"},
        {**QUESTION, "agent": ""},
        {**QUESTION, "tenant": "another"},
    ],
)
def test_bad_questions_are_refused(person: Person, body: dict[str, object]) -> None:
    problem(person.client.post(EVALUATE, json=body), 422, "invalid_input")


@pytest.mark.parametrize(
    ("more", "status", "limit", "maximum"),
    [
        ({"top_k": 101}, 422, "top_k", 100),
        ({"query": "a" * 32_769}, 413, "query", 32_768),
        ({"token_budget": 1_000_000}, 422, "token_budget", None),
    ],
)
def test_limits_are_named(
    person: Person, more: dict[str, object], status: int, limit: str, maximum: int | None
) -> None:
    refused = problem(person.client.post(EVALUATE, json={**QUESTION, **more}), status, "limit_exceeded")
    assert refused["limit"] == limit
    assert refused["maximum"] == maximum or maximum is None


def test_an_unknown_agent_is_not_found(person: Person) -> None:
    problem(person.client.post(EVALUATE, json={**QUESTION, "agent": "nobody"}), 404, "not_found")


@pytest.mark.req("AUTH-002")
def test_nobody_evaluates_without_a_session(anonymous: httpx.Client) -> None:
    problem(anonymous.post(EVALUATE, json=QUESTION), 401, "unauthenticated")
