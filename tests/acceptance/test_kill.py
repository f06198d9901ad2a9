"""`kill -9` of the real server in every phase of a turn."""

import contextlib
import json
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from soma.project.postgres_location import DATABASE, SUPERUSER, data_directory
from tests.acceptance.server import Server
from tests.prepared_home import PrepareHome

QUESTION = "What is 12 * 34?"
PHASES = [
    "started:-1",
    "recall:0",
    "plan:0",
    "model:0",
    "tools:0",
    "learn:0",
    "committed:0",
    "model:1",
    "learn:1",
    "committed:1",
    "finish:-1",
    "finished:-1",
]


@pytest.fixture
def server(prepare_home: PrepareHome) -> Iterator[Server]:
    """A server with a home of its own, which is short: it holds a socket."""
    home = prepare_home(Path(tempfile.mkdtemp(prefix="soma-kill-")))
    made = Server(home)
    yield made
    made.stop()
    shutil.rmtree(home, ignore_errors=True)


@pytest.mark.req("CHAT-004")
@pytest.mark.req("PERSIST-002")
@pytest.mark.req("REPLAY-003")
@pytest.mark.timeout(600)
def test_a_turn_survives_kill_9_in_every_phase(server: Server) -> None:
    conversations: list[str] = []
    for phase in PHASES:
        server.start(SOMAGENT_PHASE_OBSERVER="tests.fakes.crash:KillsAtPhase", SOMA_TEST_KILL_AT=phase)
        conversations.append(server.post("/api/v2/chat/conversations", {})["id"])
        # The server may die before it answers; the key finds the turn again.
        with contextlib.suppress(httpx.TransportError):
            _send(server, conversations[-1], phase)
        server.wait_until_dead()

    server.start()
    turns = [_send(server, *each) for each in zip(conversations, PHASES, strict=True)]
    for phase, turn_id in zip(PHASES, turns, strict=True):
        _check_turn(server, phase, turn_id)
        _check_replay(server, turn_id)
    _check_log(server, turns)


@pytest.mark.req("CHAT-004")
@pytest.mark.timeout(200)
def test_a_turn_survives_kill_9_while_it_speaks(server: Server) -> None:
    server.start()
    conversation = server.post("/api/v2/chat/conversations", {})["id"]
    turn_id = _send(server, conversation, "story", "Tell me a long story about the sea.")
    seen = _read_until_first_words(server, turn_id)
    server.kill()

    server.start()
    turn = server.finished(turn_id)
    frames = _frames(server, turn_id, after=seen)

    assert turn["status"] == "completed"
    assert frames[0]["event"] == "turn.started"
    assert frames[0]["data"]["attempt"] == 2
    assert frames[0]["data"]["resumed_iteration"] == 0
    words = "".join(each["data"]["text"] for each in frames if each["event"] == "answer.delta")
    assert words.strip() == turn["answer"]
    _check_log(server, [turn_id])


@pytest.mark.req("CHAT-004")
@pytest.mark.timeout(200)
def test_a_turn_survives_kill_9_of_the_database(server: Server) -> None:
    server.start()
    conversation = server.post("/api/v2/chat/conversations", {})["id"]
    turn_id = _send(server, conversation, "story", "Tell me a long story about the sea.")
    _read_until_first_words(server, turn_id)
    postmaster = int((data_directory(server.home) / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGKILL)

    _wait_until_ready(server)

    assert server.finished(turn_id)["status"] == "completed"
    again = _send(server, conversation, "sum")
    assert "408" in server.finished(again)["answer"]
    _check_log(server, [turn_id, again])


def _wait_until_ready(server: Server) -> None:
    deadline = time.monotonic() + 60
    pause = threading.Event()
    while time.monotonic() < deadline:
        if httpx.get(f"{server.url}/readyz", timeout=30).status_code == httpx.codes.OK:
            return
        pause.wait(0.2)
    raise AssertionError("the server did not become ready again")


def _send(server: Server, conversation: str, key: str, text: str = QUESTION) -> str:
    accepted = server.post(
        f"/api/v2/chat/conversations/{conversation}/messages", {"message": text}, idempotency_key=key
    )
    turn_id: str = accepted["turn_id"]
    return turn_id


def _check_turn(server: Server, phase: str, turn_id: str) -> None:
    turn = server.finished(turn_id)
    trace = server.get(f"/api/v2/chat/turns/{turn_id}/trace")
    assert (turn["status"], turn["iterations"]) == ("completed", 2), phase
    assert [each["iteration"] for each in trace["iterations"]] == [0, 1], phase
    first, second = (each["learning"] for each in trace["iterations"])
    assert first["weights_after"] == second["weights_before"], phase
    assert "408" in turn["answer"], phase


def _check_replay(server: Server, turn_id: str) -> None:
    """The log alone gives the turn again, however many processes it took."""
    told = server.post(f"/api/v2/chat/turns/{turn_id}/replay", {"mode": "verify"})
    assert told["verdict"] == "identical", told


def _check_log(server: Server, turns: list[str]) -> None:
    """Every event once, and the tenant's sequence without a gap."""
    rows = _logged(server, turns)
    sequences = [row[0] for row in _query(server, "SELECT sequence FROM event_log ORDER BY sequence")]
    assert sequences == list(range(1, len(sequences) + 1))
    for turn_id in turns:
        types = [kind for key, kind, _ in rows if key == turn_id]
        assert types.count("chat.turn_started") == 1
        assert types.count("chat.turn_completed") == 1
        numbers = [
            payload["iteration"]
            for key, kind, payload in rows
            if key == turn_id and kind == "chat.iteration_completed"
        ]
        assert numbers == list(range(len(numbers))) and numbers


def _logged(server: Server, turns: list[str]) -> list[tuple[str, str, dict[str, Any]]]:
    deadline = threading.Event()
    for _ in range(100):
        waiting = _query(server, "SELECT count(*) FROM outbox_message")[0][0]
        if waiting == 0:
            break
        deadline.wait(0.1)
    return _query(server, "SELECT key, type, payload FROM event_log ORDER BY position")


def _query(server: Server, statement: str) -> list[Any]:
    socket = (data_directory(server.home) / "postmaster.pid").read_text().splitlines()[4]
    with psycopg.connect(host=socket, user=SUPERUSER, dbname=DATABASE) as connection:
        return connection.execute(statement).fetchall()


def _read_until_first_words(server: Server, turn_id: str) -> int:
    with _stream(server, turn_id, 0) as stream:
        number = 0
        for line in stream.iter_lines():
            if line.startswith("id: "):
                number = int(line[4:])
            if line == "event: answer.delta":
                return number
    raise AssertionError("the turn said nothing")


def _frames(server: Server, turn_id: str, *, after: int) -> list[dict[str, Any]]:
    frames, event = [], ""
    with _stream(server, turn_id, after) as stream:
        for line in stream.iter_lines():
            if line.startswith("event: "):
                event = line[7:]
            if line.startswith("data: ") and event != "heartbeat":
                frames.append({"event": event, "data": json.loads(line[6:])})
    return frames


def _stream(server: Server, turn_id: str, after: int) -> Any:
    headers = {"Authorization": f"Bearer {server.jwt}", "Last-Event-ID": str(after)}
    return httpx.stream(
        "GET", f"{server.url}/api/v2/chat/turns/{turn_id}/events", headers=headers, timeout=60
    )
