"""Each request is decided by policy, denials and writes are recorded, and no tenant sees another's."""

from collections.abc import Callable

import pytest

from soma.base.ids import new_id
from tests.interfaces.person import CONVERSATIONS, TURNS, Person, problem
from tests.interfaces.served import Served


def decisions(served: Served, person: Person) -> list[dict[str, object]]:
    """The decisions of the edge in the tenant's log."""
    assert served.runtime.relay.drain(10)
    events = served.runtime.log.read(person.tenant_id)
    return [event.payload for event in events if event.type == "gateway.request_decided"]


@pytest.mark.req("AUTH-002")
def test_role_without_the_right_is_denied_with_reasons_and_recorded(served: Served, observer: Person) -> None:
    answer = observer.client.post(CONVERSATIONS, json={})
    document = problem(answer, 403, "denied")
    assert any("role" in reason for reason in document["reasons"])
    recorded = decisions(served, observer)
    assert [(entry["action"], entry["allow"]) for entry in recorded] == [("chat:write", False)]
    assert recorded[0]["reasons"] == document["reasons"]


@pytest.mark.req("AUTH-002")
def test_denied_request_begins_nothing(observer: Person) -> None:
    observer.client.post(CONVERSATIONS, json={})
    assert observer.client.get(CONVERSATIONS).json() == {"items": []}


@pytest.mark.req("AUTH-002")
def test_allowed_write_is_recorded_and_a_read_is_not(served: Served, person: Person) -> None:
    person.conversation()
    person.client.get(CONVERSATIONS)
    recorded = decisions(served, person)
    assert [(entry["action"], entry["allow"]) for entry in recorded] == [("chat:write", True)]
    assert recorded[0]["policy_hash"] == served.runtime.policy.policy_hash


@pytest.mark.req("AUTH-004")
def test_other_tenant_finds_nothing_of_this_one(person: Person, newcomer: Callable[[], Person]) -> None:
    stranger = newcomer()
    turn = person.ask("hello")
    conversation = person.client.get(f"{TURNS}/{turn}").json()["conversation_id"]
    message = {"message": "hello"}
    for answer in (
        stranger.client.get(f"{CONVERSATIONS}/{conversation}"),
        stranger.client.get(f"{CONVERSATIONS}/{conversation}/trace"),
        stranger.client.post(f"{CONVERSATIONS}/{conversation}/messages", json=message),
        stranger.client.post(
            f"{CONVERSATIONS}/{conversation}/messages", json=message, headers={"Accept": "text/event-stream"}
        ),
        stranger.client.get(f"{TURNS}/{turn}"),
        stranger.client.get(f"{TURNS}/{turn}/events"),
        stranger.client.get(f"{TURNS}/{turn}/trace"),
        stranger.client.post(f"{TURNS}/{turn}/replay", json={}),
        stranger.client.post(f"{TURNS}/{turn}/cancel"),
    ):
        problem(answer, 404, "not_found")
    assert stranger.client.get(CONVERSATIONS).json() == {"items": []}


@pytest.mark.req("AUTH-004")
def test_what_is_another_tenants_looks_like_what_is_not_there(
    person: Person, newcomer: Callable[[], Person]
) -> None:
    stranger, conversation = newcomer(), person.conversation()
    theirs = stranger.client.get(f"{CONVERSATIONS}/{conversation}").json()
    absent = stranger.client.get(f"{CONVERSATIONS}/{new_id()}").json()
    assert {**theirs, "trace_id": "", "instance": ""} == {**absent, "trace_id": "", "instance": ""}


@pytest.mark.req("AUTH-004")
@pytest.mark.parametrize("name", ["conversation_id", "user_id", "tenant_id"])
def test_body_that_names_another_than_the_token_is_denied(person: Person, name: str) -> None:
    address = f"{CONVERSATIONS}/{person.conversation()}/messages"
    problem(person.client.post(address, json={"message": "hello", name: str(new_id())}), 403, "denied")
    assert person.rows()["turn"] == 0
