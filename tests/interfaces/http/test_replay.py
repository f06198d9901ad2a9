"""POST /api/v2/chat/turns/{id}/replay: for whoever may read the trace, and on record."""

from collections.abc import Callable

import pytest

from soma.base.ids import new_id
from tests.interfaces.event_stream import received
from tests.interfaces.person import TURNS, Person, problem
from tests.interfaces.served import Served

pytestmark = pytest.mark.req("REPLAY-003")


@pytest.fixture
def turn(person: Person) -> str:
    begun = person.ask("What is 6 * 7?")
    with person.client.stream("GET", f"{TURNS}/{begun}/events") as stream:
        assert [event.event for event in received(stream.iter_lines())][-1] == "turn.completed"
    return begun


def test_a_turn_is_verified_and_run_again(person: Person, turn: str) -> None:
    verified = person.client.post(f"{TURNS}/{turn}/replay", json={"mode": "verify"})
    again = person.client.post(f"{TURNS}/{turn}/replay", json={"mode": "reexecute"})

    assert verified.status_code == again.status_code == 200, (verified.text, again.text)
    told = verified.json()
    assert (told["verdict"], told["divergence"], told["missing"]) == ("identical", None, [])
    assert told["turn_id"] == turn
    assert set(told["hashes"]) == {"weights", "neuromodulators", "iterations", "message"}
    assert all(each["rebuilt"] == each["stored"] for each in told["hashes"].values())
    assert again.json()["verdict"] == "identical", again.json()["divergence"]


def test_verify_is_what_is_done_unless_something_else_is_asked_for(person: Person, turn: str) -> None:
    assert person.client.post(f"{TURNS}/{turn}/replay", json={}).json()["mode"] == "verify"


def test_who_asked_and_what_came_of_it_is_recorded(served: Served, person: Person, turn: str) -> None:
    person.client.post(f"{TURNS}/{turn}/replay", json={})

    assert person.relay.drain(10)
    events = served.runtime.log.read(person.tenant_id)
    asked = [each.payload for each in events if each.type == "gateway.request_decided"]
    [replayed] = [each.payload for each in events if each.type == "chat.turn_replayed"]
    assert [(each["action"], each["allow"]) for each in asked][-1] == ("trace:read", True)
    assert (replayed["turn_id"], replayed["verdict"]) == (turn, "identical")
    assert replayed["user_id"] == asked[-1]["user_id"]


def test_what_is_no_replay_is_refused(person: Person) -> None:
    before = person.rows()
    bodies: list[object] = [{"mode": "rewrite"}, {"mode": None}, {"more": 1}, []]
    for body in bodies:
        problem(person.client.post(f"{TURNS}/{new_id()}/replay", json=body), 422, "invalid_input")
    assert person.rows() == before


@pytest.mark.req("AUTH-004")
def test_neither_strangers_nor_those_without_leave_replay(
    person: Person, turn: str, newcomer: Callable[[], Person], observer: Person
) -> None:
    problem(newcomer().client.post(f"{TURNS}/{turn}/replay", json={}), 404, "not_found")
    problem(person.client.post(f"{TURNS}/{new_id()}/replay", json={}), 404, "not_found")
    trace = observer.client.get(f"{TURNS}/{turn}/trace")
    replay = observer.client.post(f"{TURNS}/{turn}/replay", json={})
    assert trace.status_code == replay.status_code
