"""The event backbone over HTTP: for those who may, of their own tenant only."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from soma.base.ids import new_id
from soma.events.api import TOPICS
from tests.events.waiting import wait_until
from tests.interfaces.given_up import given_up
from tests.interfaces.person import Person, problem
from tests.interfaces.served import Served

pytestmark = pytest.mark.req("MEM-003")
LETTERS = "/v1/events/dead-letters"
NOBODYS = "01980000-0000-7000-8000-000000000001"
ADDRESSES = [LETTERS, f"{LETTERS}/{NOBODYS}", "/v1/events/status", "/v1/events/schemas"]


def listed(person: Person, **query: Any) -> dict[str, Any]:
    answer = person.client.get(LETTERS, params=query)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


def test_a_letter_is_listed_shown_and_tried_again(served: Served, person: Person) -> None:
    event_id = given_up(person.tenant_id, "refused")
    [letter] = listed(person)["letters"]
    assert (letter["event_id"], letter["source"], letter["attempts"]) == (str(event_id), "relay", 5)
    assert letter["error"] == "ValueError: cannot be handled"
    assert letter["payload"]["detail"] == "refused"
    address = f"{LETTERS}/{letter['id']}"
    assert person.client.get(address).json() == letter

    settled = person.client.post(f"{address}/retry")
    assert settled.status_code == 200, settled.text
    assert settled.json()["settled_at"]
    assert listed(person)["letters"] == []
    assert person.client.get(address).json() == settled.json()
    problem(person.client.post(f"{address}/retry"), 409, "conflict")
    wait_until(lambda: event_id in {event.event_id for event in served.runtime.log.read(person.tenant_id)})
    audited = [
        event.payload["action"]
        for event in served.runtime.log.read(person.tenant_id)
        if event.type == "gateway.request_decided"
    ]
    assert "events:write" in audited


def test_letters_come_in_pages(person: Person) -> None:
    for number in range(3):
        given_up(person.tenant_id, f"{number}", source="relay" if number else "somebody")
    first = listed(person, limit=2)
    assert [letter["payload"]["detail"] for letter in first["letters"]] == ["2", "1"]
    rest = listed(person, limit=2, cursor=first["cursor"])
    assert [letter["payload"]["detail"] for letter in rest["letters"]] == ["0"]
    assert rest["cursor"] is None
    assert len(listed(person, source="somebody")["letters"]) == 1


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"limit": 201}, "limit_exceeded"),
        ({"limit": 0}, "invalid_input"),
        ({"cursor": "x"}, "invalid_input"),
        ({"cursor": NOBODYS}, "invalid_input"),
        ({"source": "a\x00"}, "invalid_input"),
        ({"source": "a" * 201}, "invalid_input"),
    ],
)
def test_bad_questions_are_refused(person: Person, query: dict[str, Any], code: str) -> None:
    problem(person.client.get(LETTERS, params=query), 422, code)


@pytest.mark.req("AUTH-004")
def test_nobody_sees_or_tries_the_letters_of_another(person: Person, newcomer: Callable[[], Person]) -> None:
    given_up(person.tenant_id, "mine")
    [letter] = listed(person)["letters"]
    other = newcomer()
    assert listed(other)["letters"] == []
    problem(other.client.get(f"{LETTERS}/{letter['id']}"), 404, "not_found")
    problem(other.client.post(f"{LETTERS}/{letter['id']}/retry"), 404, "not_found")
    problem(other.client.get(LETTERS, params={"cursor": letter["id"]}), 422, "invalid_input")
    assert listed(person)["letters"] == [letter]


@pytest.mark.req("AUTH-002")
@pytest.mark.parametrize("address", ADDRESSES)
def test_who_may_not_operate_sees_nothing(observer: Person, anonymous: httpx.Client, address: str) -> None:
    problem(observer.client.get(address), 403, "denied")
    problem(anonymous.get(address), 401, "unauthenticated")


@pytest.mark.req("AUTH-002")
def test_who_may_not_operate_tries_nothing_again(person: Person, observer: Person) -> None:
    given_up(person.tenant_id, "mine")
    [letter] = listed(person)["letters"]
    problem(observer.client.post(f"{LETTERS}/{letter['id']}/retry"), 403, "denied")
    assert listed(person)["letters"] == [letter]


@pytest.mark.req("METRICS-001")
def test_status_tells_what_waits_and_who_lives(served: Served, person: Person) -> None:
    source = f"gone-{new_id()}"
    given_up(person.tenant_id, "counted", source=source)
    wait_until(lambda: served.runtime.consumers.heartbeats().get("brain.consolidation"))
    status = person.client.get("/v1/events/status").json()
    [consolidation] = [each for each in status["consumers"] if each["name"] == "brain.consolidation"]
    assert consolidation["backlog"]["waiting"] >= 0
    assert consolidation["heartbeat"]["process"]
    assert not consolidation["silent"]
    assert [each["letters"] for each in status["dead_letters"] if each["source"] == source] == [1]
    assert status["outbox"]["waiting"] >= 0


@pytest.mark.req("SCHEMA-001")
def test_topics_and_schemas(person: Person) -> None:
    topics = {each["topic"]: each["types"] for each in person.client.get("/v1/events/schemas").json()}
    assert set(topics) == set(TOPICS)
    assert topics["chat.events"]["chat.turn_failed"] == [1]
    schema = person.client.get("/v1/events/schemas/chat.turn_failed", params={"version": 1}).json()
    assert schema["title"] == "chat.turn_failed"
    assert person.client.get("/v1/events/schemas/chat.events").json()["title"] == "chat.events"
    problem(person.client.get("/v1/events/schemas/nothing"), 404, "not_found")
    problem(person.client.get("/v1/events/schemas/chat.turn_failed?version=2"), 404, "not_found")


@pytest.mark.req("SCHEMA-001", "PERSIST-002")
def test_a_conversation_that_was_begun_is_an_event(served: Served, person: Person) -> None:
    conversation = person.conversation()
    assert person.relay.drain(10)
    [event] = served.runtime.log.read(person.tenant_id, key=conversation)
    assert (event.topic, event.type) == ("conversation.events", "conversation.created")
    assert event.payload["conversation_id"] == conversation
    assert set(event.payload) == {"conversation_id", "agent_id", "user_id"}
