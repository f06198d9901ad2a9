"""Feedback on turns, over HTTP: every address reaches the same engine."""

from collections.abc import Callable
from typing import Any

import pytest

from soma.base.ids import new_id
from tests.interfaces.http.test_learning import state
from tests.interfaces.person import TURNS, Person, problem

pytestmark = pytest.mark.req("LEARN-004")
ADDRESSES = ("/v1/learning/feedback", "/v1/brain/feedback", "/context/feedback", "/feedback")


@pytest.fixture
def turn(person: Person) -> str:
    """A turn that has an answer, cut short: a small model takes its time."""
    asked = person.ask("Count from one to one hundred in words.")
    with person.client.stream("GET", f"{TURNS}/{asked}/events") as stream:
        for line in stream.iter_lines():
            if line == "event: answer.delta":
                person.client.post(f"{TURNS}/{asked}/cancel")
    assert person.client.get(f"{TURNS}/{asked}").json()["answer"]
    return asked


def given(person: Person, address: str, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    answer = person.client.post(address, json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    taken: dict[str, Any] = answer.json()
    return taken


def test_every_address_reaches_the_same_engine(person: Person, turn: str) -> None:
    before = state(person)
    first = given(person, f"{TURNS}/{turn}/feedback", {"thumb": "up"})
    assert (first["turn_id"], first["score"], first["repeated"]) == (turn, 1.0, False)
    assert [each["iterations"] for each in first["credited"]["models"]] == [1]
    for address in ADDRESSES:
        again = given(person, address, {"turn_id": turn, "thumb": "up"})
        assert again == {**first, "repeated": True}
    after = state(person)
    assert after["checkpoints"][-1]["source_id"] == first["feedback_id"]
    assert len(after["checkpoints"]) == len(before["checkpoints"]) + 1
    assert after["weights"] != before["weights"]


@pytest.mark.req("LEARN-002")
def test_a_later_word_replaces_an_earlier_one_and_a_key_is_for_one(person: Person, turn: str) -> None:
    key = {"Idempotency-Key": "k-1"}
    first = given(person, f"{TURNS}/{turn}/feedback", {"rating": 2}, **key)
    second = given(person, ADDRESSES[0], {"turn_id": turn, "rating": 5, "correction": "All the way, please."})
    assert (second["revision"], second["replaces"]) == (1, first["feedback_id"])
    assert given(person, f"{TURNS}/{turn}/feedback", {"rating": 2}, **key) == {**first, "repeated": True}
    other = person.client.post(f"{TURNS}/{turn}/feedback", json={"rating": 3}, headers=key)
    problem(other, 409, "conflict")


@pytest.mark.req("AUTH-002", "AUTH-004")
def test_who_may_not_teach_is_denied(
    person: Person, observer: Person, newcomer: Callable[[], Person], turn: str
) -> None:
    before = person.rows()["turn_feedback"]
    problem(observer.client.post(f"{TURNS}/{turn}/feedback", json={"thumb": "up"}), 403, "denied")
    stranger = newcomer()
    problem(stranger.client.post(f"{TURNS}/{turn}/feedback", json={"thumb": "up"}), 404, "not_found")
    assert person.rows()["turn_feedback"] == before == 0


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid_input"),
        ({"thumb": "sideways"}, "invalid_input"),
        ({"rating": 6}, "invalid_input"),
        ({"rating": "5"}, "invalid_input"),
        ({"thumb": "up", "rating": 5}, "invalid_input"),
        ({"correction": "a\x00b"}, "invalid_input"),
        ({"correction": "   "}, "invalid_input"),
        ({"correction": "a" * 32769}, "limit_exceeded"),
        ({"evidence": [{"id": str(new_id())}]}, "invalid_input"),
        ({"thumb": "up", "more": 1}, "invalid_input"),
    ],
)
def test_feedback_that_makes_no_sense_is_refused(person: Person, body: dict[str, Any], code: str) -> None:
    for address in (f"{TURNS}/{new_id()}/feedback", ADDRESSES[0]):
        sent = body if "turns" in address else {**body, "turn_id": str(new_id())}
        refused = person.client.post(address, json=sent)
        problem(refused, 413 if code == "limit_exceeded" else 422, code)
