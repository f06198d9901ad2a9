"""The event stream of a turn: whole, resumable, and only a window on the turn."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise

import httpx
import pytest

from tests.interfaces.event_stream import Received, received, text_of
from tests.interfaces.person import CONVERSATIONS, TURNS, Person, problem

WORDS = "Tell me about the sea in two sentences."
PATIENCE = 60.0


@contextmanager
def watching(person: Person, turn: str, **headers: str) -> Iterator[Iterator[Received]]:
    """The events of `turn` as they come."""
    with person.client.stream("GET", f"{TURNS}/{turn}/events", headers=headers) as answer:
        assert answer.status_code == 200
        yield received(answer.iter_lines())


def events_of(person: Person, turn: str, **headers: str) -> list[Received]:
    """All events of `turn` but the heartbeats, to its end."""
    with watching(person, turn, **headers) as events:
        return [event for event in events if event.event != "heartbeat"]


def ended(person: Person, turn: str) -> dict[str, object]:
    """The turn once it has ended."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found: dict[str, object] = person.client.get(f"{TURNS}/{turn}").json()
        if found["status"] != "running":
            return found
        time.sleep(0.02)
    raise AssertionError(f"the turn still runs after {PATIENCE} s")


@pytest.mark.req("CHAT-002")
def test_message_with_accept_event_stream_answers_with_the_stream(person: Person) -> None:
    address = f"{CONVERSATIONS}/{person.conversation()}/messages"
    headers = {"Accept": "text/event-stream", "Accept-Encoding": "gzip"}
    with person.client.stream("POST", address, json={"message": WORDS}, headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/event-stream"
        assert answer.headers["x-accel-buffering"] == "no"
        assert "no-cache" in answer.headers["cache-control"]
        assert "content-encoding" not in answer.headers
        events = [event for event in received(answer.iter_lines()) if event.event != "heartbeat"]
    assert events[0].event == "turn.started"
    assert events[-1].event == "turn.completed"
    (answered,) = [event for event in events if event.event == "answer"]
    assert answered.data["text"] in text_of(events)
    assert {"iterations", "tools_used", "confidence", "convergence_score", "exit_reason"} <= set(
        answered.data
    )


@pytest.mark.req("CHAT-002")
def test_every_event_names_turn_iteration_and_a_growing_id(person: Person) -> None:
    turn = person.ask(WORDS)
    events = events_of(person, turn)
    assert all(event.data["turn_id"] == turn and "iteration" in event.data for event in events)
    ids = [event.id for event in events]
    assert all(early is not None and late is not None and early < late for early, late in pairwise(ids))


@pytest.mark.req("CHAT-002")
@pytest.mark.parametrize("how", ["header", "query"])
def test_stream_resumes_after_any_event_with_nothing_lost_and_nothing_twice(person: Person, how: str) -> None:
    turn = person.ask(WORDS)
    whole = events_of(person, turn)
    for index in (0, 1, len(whole) // 2, len(whole) - 2):
        last = str(whole[index].id)
        if how == "header":
            rest = events_of(person, turn, **{"Last-Event-ID": last})
        else:
            answer = person.client.get(f"{TURNS}/{turn}/events", params={"after": last})
            rest = [event for event in received(answer.text.split("\n")) if event.event != "heartbeat"]
        assert rest == whole[index + 1 :]


@pytest.mark.req("CHAT-002")
def test_client_that_leaves_does_not_stop_the_turn_and_finds_the_rest_later(person: Person) -> None:
    turn = person.ask(WORDS)
    seen: list[Received] = []
    with watching(person, turn) as events:
        for event in events:
            if event.event != "heartbeat":
                seen.append(event)
            if event.event == "answer.delta":
                break
    assert ended(person, turn)["status"] == "completed"
    rest = events_of(person, turn, **{"Last-Event-ID": str(seen[-1].id)})
    assert seen + rest == events_of(person, turn)


@pytest.mark.req("CHAT-002")
def test_last_event_id_that_is_none_is_refused(person: Person) -> None:
    turn = person.ask(WORDS)
    for last in ("nonsense", "-1", "1.5", "1e3", "٣", "9" * 30, "0x10"):
        headers = {b"Last-Event-ID": last.encode()}
        problem(person.client.get(f"{TURNS}/{turn}/events", headers=headers), 422, "invalid_input")
        problem(person.client.get(f"{TURNS}/{turn}/events", params={"after": last}), 422, "invalid_input")


@pytest.mark.req("CHAT-002")
def test_cancel_stops_the_turn_within_a_second(person: Person) -> None:
    turn = person.ask("Write a very long story about a lighthouse keeper.")
    with watching(person, turn) as events:
        for event in events:
            if event.event == "answer.delta":
                cancelled_at = time.monotonic()
                assert person.client.post(f"{TURNS}/{turn}/cancel").status_code == 200
                break
        rest = [event.event for event in events]
    assert time.monotonic() - cancelled_at < 1.0
    assert rest[-1] == "turn.completed"
    assert ended(person, turn)["exit_reason"] == "cancelled"


@pytest.mark.req("CHAT-002")
def test_unknown_turn_has_no_stream(newcomer: Callable[[], Person]) -> None:
    answer = newcomer().client.get(f"{TURNS}/0198a5ee-0000-7000-8000-000000000000/events")
    problem(answer, 404, "not_found")


@pytest.mark.req("CHAT-001")
def test_message_is_accepted_with_its_turn(person: Person) -> None:
    conversation = person.conversation()
    answer: httpx.Response = person.client.post(
        f"{CONVERSATIONS}/{conversation}/messages", json={"message": WORDS, "seed": 7}
    )
    assert answer.status_code == 202
    assert answer.json()["conversation_id"] == conversation
    turn = ended(person, answer.json()["turn_id"])
    assert turn["seed"] == 7
    messages = person.client.get(f"{CONVERSATIONS}/{conversation}").json()["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant"]
    assert messages[0]["content"] == WORDS
    assert messages[1]["content"] == turn["answer"]


@pytest.mark.req("CHAT-001")
def test_idempotency_key_begins_one_turn(person: Person) -> None:
    address = f"{CONVERSATIONS}/{person.conversation()}/messages"
    headers = {"Idempotency-Key": "once"}
    first = person.client.post(address, json={"message": WORDS}, headers=headers)
    second = person.client.post(address, json={"message": WORDS}, headers=headers)
    assert first.status_code == second.status_code == 202
    assert first.json()["turn_id"] == second.json()["turn_id"]
    other = person.client.post(address, json={"message": "Something else."}, headers=headers)
    problem(other, 409, "conflict")
