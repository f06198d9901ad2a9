"""Turns on every real server, and what becomes of them when one of the servers is pulled down."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.acceptance.installation import Installation
from tests.servers import OpenServer

NAMES = ("postgres", "redis", "kafka", "opa", "milvus")
QUESTION = "What is 12 * 34?"


@pytest.fixture
def installation(own_server: OpenServer) -> Iterator[Installation]:
    """Everything is this test's own. SpiceDB keeps its relations in memory: killed, it has lost them."""
    servers = {name: own_server(name) for name in NAMES}
    servers["spicedb"] = own_server("spicedb", engine="memory")
    home = Path(tempfile.mkdtemp(prefix="soma-full-"))
    made = Installation(home, servers)
    try:
        made.start()
        yield made
    finally:
        made.app.stop()
        shutil.rmtree(home, ignore_errors=True)


@pytest.mark.req("STACK-001")
@pytest.mark.req("REPLAY-002")
@pytest.mark.req("REPLAY-003")
@pytest.mark.timeout(600)
def test_a_turn_on_every_real_server(installation: Installation) -> None:
    conversation = installation.conversation()
    turn = installation.turn(conversation, QUESTION)
    assert "408" in turn["answer"]
    assert turn["degraded_reasons"] == []
    assert installation.readiness()["status"] == "ready"

    def events() -> list[str]:
        records = installation.consumed("chat.events")
        return [each["headers"]["type"] for each in records if each["value"].get("turn_id") == turn["id"]]

    installation.wait_until(lambda: "chat.turn_completed" in events(), "Kafka lacks the turn's end")
    assert events()[0] == "chat.turn_started"
    assert events().count("chat.iteration_completed") == turn["iterations"]

    told = installation.app.post(f"/api/v2/chat/turns/{turn['id']}/replay", {"mode": "verify"})
    assert told["verdict"] == "identical", told
    assert any(each.startswith("chat.events/") for each in told["log"]["partitions"])

    assert _decisions(installation, "tool:execute") == [True]

    place = f"conversation:{conversation}"
    [owner] = installation.somagent("relations", "list", "--resource", place, "--relation", "owner")
    assert installation.send(conversation, QUESTION).status_code == httpx.codes.ACCEPTED
    installation.somagent("relations", "revoke", place, "owner", owner["subject"])
    denied = installation.send(conversation, QUESTION)
    assert denied.status_code == httpx.codes.FORBIDDEN, denied.text
    assert "relations.conversation:write" in denied.text
    checked = installation.somagent("relations", "check", place, "write", owner["subject"], code=3)
    assert (checked["allow"], checked["engine"]) == (False, "spicedb")


def _decisions(installation: Installation, action: str) -> list[bool]:
    """What OPA's decision log says of `action`."""
    lines = installation.servers["opa"].log.read_text().splitlines()
    logged = [json.loads(line) for line in lines if '"decision_id"' in line]
    asked = [each for each in logged if (each.get("input") or {}).get("action") == action]
    return [each["result"]["allow"] for each in asked]


@pytest.mark.req("STACK-001")
@pytest.mark.timeout(900)
def test_each_server_may_be_pulled_down_while_turns_run(installation: Installation) -> None:
    for without in (_without_kafka, _without_redis, _without_milvus, _without_opa, _without_spicedb):
        without(installation, installation.conversation())
        installation.wait_until_ready()
        turn = installation.turn(installation.conversation(), QUESTION)
        assert "408" in turn["answer"], without.__name__
        assert turn["degraded_reasons"] == [], without.__name__
    _without_postgres(installation, installation.conversation())


def _without_kafka(installation: Installation, conversation: str) -> None:
    """Turns complete and say so; their events wait, and arrive once each."""
    speaking = installation.speaking(conversation)
    installation.servers["kafka"].kill()
    during = installation.app.finished(speaking)
    assert during["status"] == "completed"
    installation.wait_until(lambda: "relay" in installation.readiness()["failing"], "Kafka is not missed")
    after = installation.turn(conversation, QUESTION)
    assert any(reason.startswith("events:") for reason in after["degraded_reasons"])
    assert installation.readiness()["status"] == "degraded"

    installation.servers["kafka"].start()
    installation.wait_until_ready()
    installation.wait_until(
        lambda: installation.readiness()["checks"]["relay"]["ok"], "the relay stands still"
    )
    ids = [
        each["headers"]["event_id"]
        for each in installation.consumed("chat.events")
        if each["value"].get("turn_id") in {during["id"], after["id"]}
        and each["headers"]["type"] == "chat.turn_completed"
    ]
    assert len(set(ids)) == 2


def _without_redis(installation: Installation, conversation: str) -> None:
    """Rate windows are kept in PostgreSQL meanwhile: nobody notices but the operator."""
    speaking = installation.speaking(conversation)
    installation.servers["redis"].kill()
    assert installation.app.finished(speaking)["status"] == "completed"
    assert "408" in installation.turn(conversation, QUESTION)["answer"]
    assert installation.readiness()["status"] == "degraded"
    installation.servers["redis"].start()


def _without_milvus(installation: Installation, conversation: str) -> None:
    """A turn does without memory and says so; what it told is remembered later."""
    speaking = installation.speaking(conversation)
    installation.servers["milvus"].kill()
    assert installation.app.finished(speaking)["status"] == "completed"
    told = installation.turn(conversation, "My cat is called Griselda.")
    assert any(reason.startswith("recall:") for reason in told["degraded_reasons"])
    installation.servers["milvus"].start()
    installation.wait_until_ready()

    def remembered() -> bool:
        turn = installation.turn(installation.conversation(), "What is my cat called?")
        trace = installation.app.get(f"/api/v2/chat/turns/{turn['id']}/trace")
        return "Griselda" in json.dumps([each["evidence"] for each in trace["iterations"]])

    installation.wait_until(remembered, "what was told meanwhile is not remembered")


def _without_opa(installation: Installation, conversation: str) -> None:
    """Everything is denied, with the reason."""
    other = installation.conversation()
    speaking = installation.speaking(conversation)
    installation.servers["opa"].kill()
    denied = installation.send(other, QUESTION)
    assert denied.status_code == httpx.codes.FORBIDDEN, denied.text
    assert "OPA" in denied.text
    assert installation.readiness()["status"] != "ready"
    installation.servers["opa"].start()
    installation.wait_until_ready()
    assert installation.app.finished(speaking)["status"] == "completed"


def _without_spicedb(installation: Installation, conversation: str) -> None:
    """Everything is denied, with the reason; what SpiceDB has lost it gets again."""
    other = installation.conversation()
    speaking = installation.speaking(conversation)
    installation.servers["spicedb"].kill()
    denied = installation.send(other, QUESTION)
    assert denied.status_code == httpx.codes.FORBIDDEN, denied.text
    assert "spicedb" in denied.text
    installation.servers["spicedb"].start()
    installation.wait_until_ready()
    assert installation.app.finished(speaking)["status"] == "completed"
    assert "408" in installation.turn(conversation, QUESTION)["answer"]


def _without_postgres(installation: Installation, conversation: str) -> None:
    """A turn goes on from its last commit."""
    speaking = installation.speaking(conversation)
    installation.servers["postgres"].kill()
    installation.servers["postgres"].start()
    installation.wait_until_ready()
    assert installation.app.finished(speaking)["status"] == "completed"
    assert "408" in installation.turn(conversation, QUESTION)["answer"]
