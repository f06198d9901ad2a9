"""What agents learn, over HTTP."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from soma.base.database import tenant_transaction
from soma.base.ids import new_id
from soma.brain.api import Brain
from tests.brain.turns import feedback
from tests.interfaces.person import TURNS, Person, problem
from tests.interfaces.served import Served

pytestmark = pytest.mark.req("REVERSE-001")
ROLLBACK = "/v1/learning/rollback"


Teach = Callable[[Person], str]


@pytest.fixture
def teach(served: Served) -> Teach:
    """Makes turns that have taught their agent something. The model is not waited for: they are cancelled,
    and what an iteration would have told is told here."""
    brain = served.runtime.brain

    def one(person: Person) -> str:
        turn = person.ask("Say hello.")
        with person.client.stream("GET", f"{TURNS}/{turn}/events") as stream:
            person.client.post(f"{TURNS}/{turn}/cancel")
            assert "cancelled" in "".join(stream.iter_lines())
        agent = state(person)["agent_id"]
        steps = state(person)["step"]
        with tenant_transaction(person.tenant_id):
            brain.apply_feedback(
                feedback(person.tenant_id, UUID(turn), 9, agent=agent, confidence=0.1 + 0.2 * steps)
            )
            brain.checkpoint(person.tenant_id, agent, UUID(turn))
        return turn

    return one


def state(person: Person, agent: str = "soma", **query: Any) -> dict[str, Any]:
    answer = person.client.get(f"/v1/learning/state/{agent}", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_an_agent_goes_back_to_a_turn_and_the_state_says_so(person: Person, teach: Teach) -> None:
    first = teach(person)
    stood = state(person)
    teach(person)
    moved = state(person)
    assert moved["hash"] != stood["hash"]
    place, latest = stood["checkpoints"][-1], moved["checkpoints"][-1]
    assert (place["turn_id"], place["kind"]) == (first, "turn")
    assert 0.0 < place["reward"] < 1.0

    answer = person.client.post(ROLLBACK, json={"turn_id": first})
    assert answer.status_code == 200, answer.text
    made = answer.json()
    assert (made["kind"], made["returns_to"]) == ("rollback", place["sequence"])
    assert made["previous_hash"] == latest["hash"]
    assert made["reward"] is None
    back = state(person)
    for name in ("weights", "neuromodulators", "reward_baseline", "step", "hash"):
        assert back[name] == stood[name]
    assert back["checkpoints"][-1]["hash"] == made["hash"]
    # By its place in the chain, and by the agent's id: nothing is lost.
    again = {"agent": back["agent_id"], "checkpoint": latest["sequence"]}
    assert person.client.post(ROLLBACK, json=again).json()["returns_to"] == latest["sequence"]
    assert state(person, back["agent_id"])["hash"] == moved["hash"]
    shown = [each["kind"] for each in state(person, limit=2)["checkpoints"]]
    assert shown == ["rollback", "rollback"]


def test_an_agent_that_nobody_asked_stands_at_its_baseline(person: Person) -> None:
    person.conversation()
    found = state(person)
    assert (found["step"], found["checkpoints"], found["rankings"]) == (0, [], [])
    assert found["weights"]["alpha"] == 1.0


@pytest.mark.req("REVERSE-002")
def test_who_may_only_look_does_not_roll_back(
    person: Person, observer: Person, served: Served, teach: Teach
) -> None:
    turn = teach(person)
    before = state(observer)
    refused = problem(observer.client.post(ROLLBACK, json={"turn_id": turn}), 403, "denied")
    assert any("role_grants" in reason for reason in refused["reasons"])
    assert state(observer) == before
    assert served.runtime.relay.drain(10)
    told = [event for event in served.runtime.log.read(person.tenant_id) if "rollback" in str(event.payload)]
    assert [(each.type, each.payload["allow"]) for each in told] == [("gateway.request_decided", False)]


@pytest.mark.req("REVERSE-002")
def test_a_revoked_constitution_is_not_rolled_back_across(
    person: Person, served: Served, teach: Teach
) -> None:
    brain: Brain = served.runtime.brain
    with tenant_transaction(person.tenant_id):
        brain.adopt_constitution(person.tenant_id, "c" * 64)
    turn = teach(person)
    assert state(person)["checkpoints"][-1]["constitution_hash"] == "c" * 64
    with tenant_transaction(person.tenant_id):
        brain.revoke_constitution(person.tenant_id, "c" * 64)
    before = state(person)
    refused = problem(person.client.post(ROLLBACK, json={"turn_id": turn}), 403, "denied")
    assert refused["reasons"] == [f"constitution.revoked: {'c' * 64}"]
    assert state(person) == before


@pytest.mark.req("AUTH-004")
def test_agents_and_turns_of_another_tenant_do_not_exist(
    person: Person, newcomer: Callable[[], Person], teach: Teach
) -> None:
    turn = teach(person)
    agent = state(person)["agent_id"]
    stranger = newcomer()
    problem(stranger.client.get(f"/v1/learning/state/{agent}"), 404, "not_found")
    problem(stranger.client.post(ROLLBACK, json={"turn_id": turn}), 404, "not_found")
    problem(stranger.client.post(ROLLBACK, json={"agent": agent, "checkpoint": 0}), 404, "not_found")


def test_what_cannot_be_rolled_back_to_is_refused(person: Person) -> None:
    person.conversation()
    for body, status, code in (
        ({}, 422, "invalid_input"),
        ({"turn_id": "x"}, 422, "invalid_input"),
        ({"agent": "soma"}, 422, "invalid_input"),
        ({"agent": "soma", "checkpoint": -1}, 422, "invalid_input"),
        ({"agent": "soma", "checkpoint": 0, "turn_id": str(new_id())}, 422, "invalid_input"),
        ({"turn_id": str(new_id()), "more": 1}, 422, "invalid_input"),
        ({"turn_id": str(new_id())}, 404, "not_found"),
        ({"agent": "soma", "checkpoint": 0}, 404, "not_found"),
        ({"agent": "nobody", "checkpoint": 0}, 404, "not_found"),
    ):
        problem(person.client.post(ROLLBACK, json=body), status, code)
    problem(person.client.get("/v1/learning/state/soma", params={"limit": 0}), 422, "invalid_input")
    refused = problem(
        person.client.get("/v1/learning/state/soma", params={"limit": 501}), 422, "limit_exceeded"
    )
    assert (refused["limit"], refused["maximum"]) == ("limit", 500)
    problem(person.client.get("/v1/learning/state/nobody"), 404, "not_found")
    problem(person.client.get("/v1/learning/state/%00"), 422, "invalid_input")
