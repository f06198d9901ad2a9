"""Whatever dies, hangs or runs full: each message that was acknowledged is in the log once, in order.

Many clients of several tenants go on all the while. SOMA_FAULT_CUT_SECONDS says for how long the log is cut
off; it is 10 where nobody says.
"""

import os
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.acceptance.clients import Client
from tests.acceptance.fault_run import UNLIMITED, FaultRun, cut_seconds
from tests.acceptance.installation import Installation
from tests.acceptance.small_disk import SmallDisks
from tests.acceptance.witness import raw_records
from tests.servers import OpenServer

pytestmark = [pytest.mark.req("PERSIST-002", "REPLAY-002", "AUDIT-001"), pytest.mark.timeout(600)]

DISKS = {"postgres": 400, "kafka": 160}
"""Mebibytes."""

MANY = 100
STILL_SECONDS = 3.0
WAITS = f"SELECT id FROM outbox_message WHERE occurred_at < now() - interval '{STILL_SECONDS} seconds'"
DOUBLE = "SELECT key FROM memory_record GROUP BY tenant_id, key HAVING count(*) > 1"

Begin = Callable[..., FaultRun]


@pytest.fixture
def small_disks() -> Iterator[SmallDisks]:
    """They go once the servers have ended."""
    disks = SmallDisks()
    yield disks
    disks.unmount()


@pytest.fixture
def begin(small_disks: SmallDisks, own_server: OpenServer, tmp_path: Path) -> Iterator[Begin]:
    """Begins a run on the servers that are named."""
    home = Path(tempfile.mkdtemp(prefix="soma-fault-"))
    runs: list[FaultRun] = []

    def begin(*names: str) -> FaultRun:
        servers = {
            name: own_server(
                name, prepare=lambda server: small_disks.give(server, mebibytes=DISKS[server.name])
            )
            for name in names
        }
        notes = tmp_path / "written"
        notes.touch()
        runs.append(FaultRun(Installation(home, servers, **UNLIMITED), small_disks, notes))
        runs[-1].start()
        return runs[-1]

    yield begin
    for run in runs:
        run.abandon()
        run.installation.app.stop()
    shutil.rmtree(home, ignore_errors=True)


def test_the_log_in_kafka_holds_what_was_acknowledged(begin: Begin) -> None:
    run = begin("postgres", "kafka")
    _processes_die(run)
    _server_dies(run, "kafka")
    _server_hangs(run, "kafka", meanwhile=run.kill_app)
    _disk_is_full(run, "kafka")
    _server_dies(run, "postgres")
    run.end()
    logged = run.logged()
    run.tell("the log was read and verified")
    _check(run, logged)
    _check_topics(run, logged)
    run.tell("and compared")


def test_the_log_in_postgres_holds_what_was_acknowledged(begin: Begin) -> None:
    run = begin("postgres")
    _processes_die(run)
    _server_dies(run, "postgres")
    _disk_is_full(run, "postgres")
    run.end()
    _check(run, run.logged())


def _processes_die(run: FaultRun) -> None:
    """The relay that is active, and then the application, whose own relay has taken over."""
    run.delivering()
    run.kill_relay()
    run.delivering()
    run.start_relay()
    run.kill_app()
    run.delivering()
    run.tell("the relay and the application were killed")


def _server_dies(run: FaultRun, name: str) -> None:
    server = run.installation.servers[name]
    server.kill()
    server.start()
    run.delivering()
    run.tell(f"{name} was killed")


def _server_hangs(run: FaultRun, name: str, *, meanwhile: Callable[[], None]) -> None:
    """Its connections stay open, and nobody answers: as if the network were cut."""
    record = run.installation.servers[name].record
    assert record is not None
    started = time.monotonic()
    os.kill(record.process.pid, signal.SIGSTOP)
    try:
        before = len(run.written())
        meanwhile()
        run.wait_until(lambda: time.monotonic() - started >= cut_seconds(), "time stands still")
        assert len(run.written()) >= before
    finally:
        os.kill(record.process.pid, signal.SIGCONT)
    run.delivering()
    run.tell(f"{name} was cut off for {time.monotonic() - started:.0f} s")


def _disk_is_full(run: FaultRun, name: str) -> None:
    """Until nothing more comes into the log; with space again it does. PostgreSQL goes on by itself, unless
    it lacked space for its journal; a broker ends, or is half dead, and has to be started again."""
    server, disk = run.installation.servers[name], run.disks[name]
    disk.fill()
    run.wait_until(lambda: _stands_still(run), f"{name} needs no space")
    run.tell(f"{name} stands still, {'alive' if server.running else 'ended'}")
    disk.free()
    if name == "kafka" or not server.running:
        server.kill()
        server.start()
    run.delivering()
    run.tell(f"{name} had no space")


def _stands_still(run: FaultRun) -> bool:
    """Whether what was committed does not come into the log, or nothing can be committed."""
    try:
        return run.silent_for() > STILL_SECONDS or bool(run.witness.ask(WAITS))
    except psycopg.Error:
        return True


def _check(run: FaultRun, logged: dict[str, Any]) -> None:
    """The log has what was committed: all of it, once, in the order of the outbox; and so it was linked."""
    committed, written = run.witness.committed(), run.written()
    for tenant, found in logged.items():
        ids = [event["event_id"] for event in found["events"]]
        assert ids == committed[tenant]
        assert [event["sequence"] for event in found["events"]] == list(range(1, len(ids) + 1))
        assert found["audit"] == {"intact": True, "events": len(ids), "broken": "None"}
    for tenant, ids in written.items():
        assert len(ids) > MANY
        wanted = set(ids)
        assert [each for each in committed[tenant] if each in wanted] == ids
    for client in run.clients:
        _check_client(client, logged[client.tenant]["events"])
    assert run.witness.ask("SELECT count(*) FROM dead_letter") == [(0,)]
    assert run.witness.ask(DOUBLE) == []


def _check_client(client: Client, events: list[dict[str, Any]]) -> None:
    """Each thing that was acknowledged has its events: a turn begins once and ends once."""
    told = Counter((event["type"], event["payload"].get(client.names)) for event in events)
    assert len(set(client.acknowledged)) == len(client.acknowledged)
    for each in client.acknowledged:
        assert told[client.begins, each] == 1, each
        assert not client.ends or sum(told[ending, each] for ending in client.ends) == 1, each


def _check_topics(run: FaultRun, logged: dict[str, Any]) -> None:
    """Who takes each event_id once has the same from Kafka: all of it, and each topic in order."""
    first: dict[str, str] = {}
    places = set[tuple[str, str]]()
    for record in raw_records(run.installation.servers["kafka"].address):
        first.setdefault(record.event_id, record.tenant)
        places.add((record.event_id, record.place))
    assert set(first) == {str(event_id) for [event_id] in run.witness.ask("SELECT event_id FROM audit_link")}
    for tenant, found in logged.items():
        assert all((event["event_id"], event["place"]) in places for event in found["events"])
        for topic in {event["topic"] for event in found["events"]}:
            wanted = [event["event_id"] for event in found["events"] if event["topic"] == topic]
            known = set(wanted)
            assert [each for each, whose in first.items() if whose == tenant and each in known] == wanted
