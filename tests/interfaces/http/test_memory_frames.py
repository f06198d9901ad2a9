"""Who did what, when, where and why, asked over HTTP."""

from collections.abc import Callable

import httpx
import pytest

from tests.interfaces.person import Person, problem

pytestmark = pytest.mark.req("HRR-001", "MEM-002")
FRAMES = "/v1/memory/frames"


def tell(person: Person, content: str) -> str:
    answer = person.client.post("/v1/memory/remember", json={"items": [{"content": content}]})
    assert answer.status_code == 200, answer.text
    identity: str = answer.json()["stored"][0]["record_id"]
    return identity


def test_an_event_is_asked_for_what_is_missing(person: Person) -> None:
    identity = tell(person, "Bob visited the science museum in London.")
    for known, method in (({"who": "Bob", "what": "visited"}, "lookup"), ({"what": "museum"}, "holographic")):
        answer = person.client.post(FRAMES, json={"known": known, "wanted": "where"})
        assert answer.status_code == 200, answer.text
        document = answer.json()
        assert document["method"] == method
        assert document["answers"][0]["text"] == "London"
        assert document["answers"][0]["record_ids"] == [identity]
        assert document["answers"][0]["matched"] == 1.0


def test_explained_evidence_shows_its_frames(person: Person) -> None:
    tell(person, "Bob visited the science museum in London.")
    query = {"query": "Which museum did Bob visit?"}
    [plain] = person.client.post("/v1/memory/recall", json=query).json()["evidence"]
    [explained] = person.client.post("/v1/memory/recall", json={**query, "explain": True}).json()["evidence"]
    assert plain["frames"] is None
    [frame] = explained["frames"]
    assert frame["roles"]["where"] == [{"text": "London", "token": "london"}]


def test_namespaces_are_asked_apart(person: Person) -> None:
    tell(person, "Bob visited the science museum in London.")
    body = {"known": {"who": "Bob"}, "wanted": "where", "namespace": "travels"}
    assert person.client.post(FRAMES, json=body).json()["answers"] == []
    assert person.client.get("/v1/memory/calibration?namespace=travels").json()["marks"] == 0
    problem(person.client.get("/v1/memory/calibration?namespace=Not:mine"), 422, "invalid_input")


@pytest.mark.req("AUTH-004")
def test_nobody_asks_anothers_events(person: Person, newcomer: Callable[[], Person]) -> None:
    tell(person, "Bob visited the science museum in London.")
    answer = newcomer().client.post(FRAMES, json={"known": {"who": "Bob"}, "wanted": "where"})
    assert answer.json()["answers"] == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"known": {}, "wanted": "where"},
        {"known": {"whom": "Bob"}, "wanted": "where"},
        {"known": {"who": "Bob"}, "wanted": "whither"},
        {"known": {"who": " "}, "wanted": "where"},
        {"known": {"who": "..."}, "wanted": "where"},
        {"known": {"who": "a" * 201}, "wanted": "where"},
        {"known": {"who": "a\u0000"}, "wanted": "where"},
        {"known": {"who": "Bob"}, "wanted": "where", "method": "guess"},
        {"known": {"who": "Bob"}, "wanted": "where", "top_k": 0},
    ],
)
def test_bad_questions_are_refused(person: Person, body: dict[str, object]) -> None:
    problem(person.client.post(FRAMES, json=body), 422, "invalid_input")


def test_too_many_answers_name_the_limit(person: Person) -> None:
    body = {"known": {"who": "Bob"}, "wanted": "where", "top_k": 101}
    assert problem(person.client.post(FRAMES, json=body), 422, "limit_exceeded")["maximum"] == 100


@pytest.mark.req("AUTH-002")
def test_nobody_asks_without_a_session(person: Person) -> None:
    with httpx.Client(base_url=person.client.base_url) as stranger:
        problem(
            stranger.post(FRAMES, json={"known": {"who": "Bob"}, "wanted": "where"}), 401, "unauthenticated"
        )
