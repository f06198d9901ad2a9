"""Memory, told and asked directly."""

from collections.abc import Callable

import pytest

from tests.interfaces.person import CONVERSATIONS, Person, problem

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
        {"items": [{"content": "a", "provenance": {"room": {"deep": 1}}}]},
        {"items": [{"content": "a", "provenance": {"room": None}}]},
        {"items": [{"content": "a", "provenance": {"room": "x" * 1001}}]},
        {"items": [{"content": "a", "provenance": {"room": "\0"}}]},
        {"items": [{"content": "a", "provenance": {"number": 2**63}}]},
        {"items": [{"content": "a", "provenance": {"number": 10**400}}]},
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
    document = problem(
        person.client.post(RECALL, json={"query": "a", "top_k": 10**30}), 422, "limit_exceeded"
    )
    assert document["actual"] == str(10**30)


@pytest.mark.req("MEM-002")
@pytest.mark.parametrize(
    "query", ["The pyramids were built 4500 years ago.", "What came in December?", f"{'9' * 5000} days ago"]
)
def test_any_time_can_be_named(person: Person, query: str) -> None:
    told(person, "The comet came back.", occurred_at="9999-12-30T00:00:00Z")
    assert len(person.client.post(RECALL, json={"query": query}).json()["evidence"]) == 1
    early = {"query": "yesterday", "as_of": "0001-01-01T00:00:00Z"}
    assert person.client.post(RECALL, json=early).json()["evidence"] == []


@pytest.mark.req("MEM-002")
def test_an_explanation_says_what_was_understood_and_adds_up(person: Person) -> None:
    told(person, "We went to Lisbon by train.", speaker="Ada Lovelace", occurred_at="2024-05-07T12:00:00Z")
    told(person, "I have never been to Lisbon.", speaker="Grace")
    query = "Where did Ada go in May 2024?"
    plain = person.client.post(RECALL, json={"query": query}).json()
    assert plain["understood"] is None
    assert plain["evidence"][0]["explanation"] is None

    found = person.client.post(RECALL, json={"query": query, "explain": True}).json()
    assert found["understood"]["named"] == ["Ada Lovelace"]
    assert found["understood"]["periods"] == ["2024-05"]
    assert "lisbon" not in found["understood"]["terms"]
    assert set(found["timings_ms"]) >= {"read", "embed", "search", "rank", "fetch"}
    assert sum(found["timings_ms"].values()) == pytest.approx(found["latency_ms"], abs=0.5)
    best = found["evidence"][0]
    assert best["content"] == "We went to Lisbon by train."
    assert best["tenant_id"] == str(person.tenant_id)
    assert best["explanation"]["speaker"] == pytest.approx(2 * best["explanation"]["date"], abs=1e-5)
    assert best["explanation"]["date"] > 0.0
    for each in found["evidence"]:
        assert sum(each["explanation"].values()) == pytest.approx(each["score"], abs=1e-5)
    assert -1 <= best["features"]["similarity"] <= 1


@pytest.mark.req("MEM-002")
def test_filters_let_through_what_meets_all_of_them(person: Person) -> None:
    for number, (speaker, role) in enumerate([("Ada", "user"), ("Bob", "user"), ("Ada", "assistant")]):
        told(
            person,
            f"The number of the house is {number}.",
            speaker=speaker,
            role=role,
            session=f"s{number}",
            occurred_at=f"2024-0{number + 1}-01T00:00:00Z",
            provenance={"project": "alpha" if number else "beta", "page": number},
        )

    def found(**filters: object) -> list[str]:
        body = {"query": "number of the house", "filters": filters}
        answer = person.client.post(RECALL, json=body)
        assert answer.status_code == 200, answer.text
        return sorted(each["content"][-2] for each in answer.json()["evidence"])

    assert found() == ["0", "1", "2"]
    assert found(speaker="Ada") == ["0", "2"]
    assert found(speaker=["Ada", "Bob"], role="user") == ["0", "1"]
    assert found(since="2024-02-01T00:00:00Z") == ["1", "2"]
    assert found(until="2024-02-01T00:00:00Z") == ["0"]
    assert found(session=["s0", "s2"]) == ["0", "2"]
    assert found(provenance={"project": "alpha"}) == ["1", "2"]
    assert found(provenance={"project": ["alpha"], "page": "2"}) == ["2"]
    assert found(provenance={"project": "gamma"}) == []
    assert found(source_turn="none") == []


@pytest.mark.req("MEM-002")
@pytest.mark.parametrize(
    "filters",
    [
        {"colour": "red"},
        {"role": 5},
        {"role": []},
        {"since": "yesterday"},
        {"since": 5},
        {"provenance": {"A b": "x"}},
        {"provenance": {"page": 5}},
        {"speaker": "a\u0000"},
        {"speaker": ["a"] * 101},
        "role",
    ],
)
def test_a_filter_that_is_none_is_refused(person: Person, filters: object) -> None:
    answer = person.client.post(RECALL, json={"query": "a", "filters": filters})
    problem(answer, 422, "invalid_input")


@pytest.mark.req("MEM-006")
def test_namespaces_are_apart_and_counted(person: Person, newcomer: Callable[[], Person]) -> None:
    body = {"content": "The key is under the mat.", "namespace": "home", "key": "k"}
    assert len(person.client.post(REMEMBER, json=body).json()["stored"]) == 1
    several = {"namespace": "work", "items": [{"content": "The key is in the safe.", "key": "k"}, body]}
    done = person.client.post(REMEMBER, json=several).json()
    assert [each["rewritten"] for each in done["stored"]] == [False, True]
    told(person, "The key is lost.")

    def contents(who: Person, **where: str) -> list[str]:
        answer = who.client.post(RECALL, json={"query": "Where is the key?", **where})
        return [each["content"] for each in answer.json()["evidence"]]

    assert contents(person, namespace="home") == ["The key is under the mat."]
    assert contents(person, namespace="work") == ["The key is in the safe."]
    assert contents(person) == contents(person, namespace="default") == ["The key is lost."]
    listed = person.client.get("/v1/memory/namespaces").json()["items"]
    assert [(each["name"], each["memories"]) for each in listed] == [("default", 1), ("home", 1), ("work", 1)]
    other = newcomer()
    assert contents(other, namespace="home") == []
    assert other.client.get("/v1/memory/namespaces").json() == {"items": []}


@pytest.mark.req("MEM-006")
@pytest.mark.parametrize("name", ["", "A", "a:b", "a/b", "a\n", "é", "a" * 65, "../x", "x' OR 1=1 --"])
def test_what_is_no_namespace_is_refused_and_nothing_stored(person: Person, name: str) -> None:
    before = person.rows()
    for answer in (
        person.client.post(RECALL, json={"query": "a", "namespace": name}),
        person.client.post(REMEMBER, json={"content": "a", "namespace": name}),
        person.client.delete("/v1/memory", params={"namespace": name}),
    ):
        problem(answer, 422, "invalid_input")
    assert person.rows() == before


def test_a_memory_is_read_and_forgotten_by_its_id(person: Person, newcomer: Callable[[], Person]) -> None:
    (kept,) = told(person, "The lamp is broken.", session="s", namespace="home")["stored"]
    place = f"/v1/memory/{kept['record_id']}"
    memory = person.client.get(place).json()
    assert (memory["content"], memory["namespace"]) == ("The lamp is broken.", "home")
    assert memory["provenance"]["session"] == "s"

    other = newcomer()
    problem(other.client.get(place), 404, "not_found")
    problem(other.client.delete(place), 404, "not_found")
    assert person.client.delete(place).status_code == 204
    problem(person.client.get(place), 404, "not_found")
    problem(person.client.delete(place), 404, "not_found")


def test_a_namespace_is_forgotten_up_to_a_moment(person: Person) -> None:
    for year in (2023, 2024, 2025):
        told(person, f"It was {year}.", namespace="log", occurred_at=f"{year}-06-01T00:00:00Z")
    told(person, "Elsewhere.")
    problem(person.client.delete("/v1/memory"), 422, "invalid_input")
    some = person.client.delete("/v1/memory", params={"namespace": "log", "before": "2025-01-01T00:00:00Z"})
    assert some.json() == {"forgotten": 2}
    assert person.client.delete("/v1/memory", params={"namespace": "log"}).json() == {"forgotten": 1}
    assert person.rows()["memory_record"] == 1


@pytest.mark.req("AUTH-002")
def test_observer_does_not_forget(person: Person, observer: Person) -> None:
    (kept,) = told(person, "Kept.")["stored"]
    problem(observer.client.delete(f"/v1/memory/{kept['record_id']}"), 403, "denied")
    problem(observer.client.delete("/v1/memory", params={"namespace": "default"}), 403, "denied")


@pytest.mark.parametrize("field", ["trace_id", "kind", "source_turn", "input_hash", "recalled_from"])
def test_what_the_system_writes_cannot_be_given(person: Person, field: str) -> None:
    body = {"content": "a", "provenance": {field: "x"}}
    problem(person.client.post(REMEMBER, json=body), 422, "invalid_input")


def test_an_idempotency_key_gives_the_same_answer(person: Person, newcomer: Callable[[], Person]) -> None:
    key = {"Idempotency-Key": "once"}
    body = {"content": "The ferry leaves at noon."}
    first = person.client.post(REMEMBER, json=body, headers=key)
    again = person.client.post(REMEMBER, json={"items": [body]}, headers=key)
    assert len(first.json()["stored"]) == 1
    assert again.json() == first.json()
    different = person.client.post(REMEMBER, json={"content": "It leaves at one."}, headers=key)
    problem(different, 409, "conflict")
    assert person.rows()["memory_record"] == 1
    other = newcomer().client.post(REMEMBER, json=body, headers=key)
    assert other.json()["stored"][0]["record_id"] != first.json()["stored"][0]["record_id"]
    problem(person.client.post(REMEMBER, json=body, headers={"Idempotency-Key": "a b"}), 422, "invalid_input")


@pytest.mark.req("MEM-002")
@pytest.mark.parametrize("diversity", [-0.1, 1.5, "much"])
def test_a_diversity_that_is_no_share_is_refused(person: Person, diversity: object) -> None:
    body = {"query": "Which museum?", "diversity": diversity}
    problem(person.client.post(RECALL, json=body), 422, "invalid_input")
    assert person.client.post(RECALL, json={**body, "diversity": 0.5}).status_code == 200


@pytest.mark.req("MEM-006")
def test_a_conversation_is_asked_for_what_it_has_at_hand(person: Person) -> None:
    conversation = person.conversation()
    person.client.post(
        f"{CONVERSATIONS}/{conversation}/messages",
        json={"message": "My boat is called Tern and lies in Horta."},
        headers={"Accept": "text/event-stream"},
        timeout=60,
    )
    query = {"query": "What is my boat called?", "conversation_id": conversation, "kinds": ["statement"]}
    answer = person.client.post(RECALL, json=query)
    assert answer.status_code == 200, answer.text
    found = answer.json()["evidence"]
    assert [(each["content"], each["layer"]) for each in found] == [
        ("My boat is called Tern and lies in Horta.", "working")
    ]


@pytest.mark.req("MEM-006", "AUTH-004")
def test_nobody_asks_the_conversation_of_another(person: Person, newcomer: Callable[[], Person]) -> None:
    query = {"query": "anything", "conversation_id": person.conversation()}
    assert person.client.post(RECALL, json=query).status_code == 200
    refused = newcomer().client.post(RECALL, json=query)
    assert refused.status_code in {403, 404}, refused.text
    nowhere = {**query, "conversation_id": "00000000-0000-7000-8000-000000000000"}
    problem(person.client.post(RECALL, json=nowhere), 404, "not_found")
