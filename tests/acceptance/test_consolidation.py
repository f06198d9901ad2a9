"""Consolidation of the real server through `kill -9` of itself and of its database: nothing lost, nothing
twice, in order."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from soma.project.postgres_location import DATABASE, SUPERUSER, data_directory
from tests.acceptance.server import Server
from tests.prepared_home import PrepareHome

pytestmark = [pytest.mark.req("MEM-003"), pytest.mark.timeout(400)]

STEPS = ("consolidate", "segmented", "remembered", "consolidated")
PATIENCE_SECONDS = 90.0
REMEMBERED = "SELECT key, provenance ->> 'segment' FROM memory_record WHERE role = 'user' ORDER BY created_at"
KEYS = "SELECT key, count(*) FROM memory_record GROUP BY key HAVING count(*) > 1"
AT_HAND = "SELECT count(*), count(record_id), count(vector) FROM working_item"


@pytest.fixture
def server(prepare_home: PrepareHome) -> Iterator[Server]:
    """A server with a home of its own, which is short: it holds a socket."""
    home = prepare_home(Path(tempfile.mkdtemp(prefix="soma-mem-")))
    made = Server(home)
    yield made
    made.stop()
    shutil.rmtree(home, ignore_errors=True)


def test_consolidation_survives_kill_9_at_each_of_its_steps(server: Server) -> None:
    server.start()
    conversation = server.post("/api/v2/chat/conversations", {})["id"]
    turns = [_say(server, conversation, "begin")]
    _until(partial(_settled, server))
    server.stop()
    for step in STEPS:
        server.start(SOMAGENT_PHASE_OBSERVER="tests.fakes.crash:KillsAtPhase", SOMA_TEST_KILL_AT=f"{step}:-1")
        turns.append(_say(server, conversation, step))
        server.wait_until_dead()

    server.start()
    turns.append(_say(server, conversation, "end"))
    _until(partial(_settled, server))
    _check(server, turns)


def test_consolidation_survives_kill_9_of_the_database(server: Server) -> None:
    steps = STEPS[1:3]
    server.start(
        SOMAGENT_PHASE_OBSERVER="tests.fakes.crash:KillsPostgresAtPhases",
        SOMA_TEST_KILL_AT=",".join(f"{step}:-1" for step in steps),
    )
    conversation = server.post("/api/v2/chat/conversations", {})["id"]
    turns: list[str] = []
    for number in range(4):
        _until(partial(_say_patiently, server, conversation, f"number {number}", turns))
    _until(partial(_settled, server))
    _check(server, turns)


def _say(server: Server, conversation: str, what: str) -> str:
    """The id of a turn in which something is said, accepted and perhaps not ended yet."""
    accepted = server.post(
        f"/api/v2/chat/conversations/{conversation}/messages", {"message": f"My boat's name is {what}."}
    )
    turn_id: str = accepted["turn_id"]
    return turn_id


def _say_patiently(server: Server, conversation: str, what: str, turns: list[str]) -> bool:
    """Whether it could be said, now that the turn before has ended, and the database may be away. The key
    finds the turn again where the answer went missing."""
    answer = server.patiently(
        "POST",
        f"/api/v2/chat/conversations/{conversation}/messages",
        {"message": f"My boat's name is {what}."},
        {"Idempotency-Key": what.replace(" ", "-")},
    )
    if answer.is_success:
        turns.append(answer.json()["turn_id"])
    return answer.is_success


def _settled(server: Server) -> bool:
    """Whether every turn has ended and all that it left is consolidated."""
    running = "SELECT count(*) FROM turn WHERE status = 'running'"
    if _query(server, running) != [(0,)] or _query(server, "SELECT count(*) FROM outbox_message") != [(0,)]:
        return False
    checks = httpx.get(f"{server.url}/readyz", timeout=30).json()["checks"]
    return bool(checks["memory"]["detail"] == "memory: 0 events wait")


def _until(condition: Callable[[], bool]) -> None:
    """Wait for `condition`, through whatever the database's absence does to it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except (psycopg.OperationalError, httpx.TransportError, OSError, IndexError):
            pass
        time.sleep(0.2)
    raise AssertionError("it did not settle")


def _check(server: Server, turns: list[str]) -> None:
    """Each turn is remembered once, in order, and counted once; what is at hand knows its memory."""
    remembered = _query(server, REMEMBERED)
    assert [key for key, _ in remembered] == [f"turn:{turn}:user" for turn in turns]
    assert all(segment is not None for _, segment in remembered)
    assert _query(server, KEYS) == []
    assert _query(server, "SELECT turns FROM conversation_segment") == [(len(turns),)]
    assert _query(server, "SELECT turns FROM working_memory") == [(len(turns),)]
    [(items, known, embedded)] = _query(server, AT_HAND)
    assert items == known == embedded >= len(turns)
    assert _query(server, "SELECT count(*) FROM dead_letter") == [(0,)]


def _query(server: Server, statement: str) -> list[Any]:
    socket = (data_directory(server.home) / "postmaster.pid").read_text().splitlines()[4]
    with psycopg.connect(host=socket, user=SUPERUSER, dbname=DATABASE) as connection:
        return connection.execute(statement).fetchall()
