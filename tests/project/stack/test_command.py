"""`somagent stack`: up as often as one likes, down for what it started, and the truth in between."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from soma.base.configuration import Configuration
from soma.project.stack.ports import is_free
from soma.project.stack.process import Process
from soma.project.stack.record import read_record
from soma.project.stack.servers import KINDS
from soma.project.stack.state import Entry, read_stack, stack_directory, stack_environment
from tests.events.waiting import wait_until
from tests.servers import OpenServer, end_servers
from tests.shell import ROOT, bash, environment

pytestmark = pytest.mark.req("STACK-001")


class Terminal:
    """A terminal of somebody whose home is `home`."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def somagent(self, command: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run `somagent stack <command>`."""
        return bash(f"somagent stack {command}", environment(self.home, **variables))

    def reports(self, command: str, **variables: str) -> dict[str, dict[str, Any]]:
        """What it reports, by server."""
        printed = subprocess.run(
            ["somagent", "stack", *command.split(), "--json"],
            cwd=ROOT,
            env=environment(self.home, **variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=False,
        ).stdout
        return {report["name"]: report for report in json.loads(printed)}

    def process(self, name: str) -> Process:
        """The process of a server that was started."""
        record = read_record(stack_directory(self.home) / name)
        assert record is not None
        return record.process


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """Whatever is left of its stack is ended afterwards."""
    yield Terminal(tmp_path)
    end_servers(tmp_path / "stack")


def test_up_twice_is_up_once(terminal: Terminal) -> None:
    first = terminal.somagent("up --only redis")
    assert first.returncode == 0, first.stdout
    assert "SOMAGENT_DEPLOYMENT_MODE=developer-full make run" in first.stdout
    process = terminal.process("redis")

    again = terminal.reports("up --only redis")

    assert again["redis"]["state"] == "running" and again["redis"]["latency_ms"] > 0
    assert terminal.process("redis") == process
    assert list(again) == ["redis"]


def test_the_mode_that_uses_the_stack_makes_it_nobody_elses(terminal: Terminal) -> None:
    mode = {"SOMAGENT_DEPLOYMENT_MODE": "developer-full"}
    assert terminal.reports("up --only redis", **mode)["redis"]["state"] == "running"
    assert terminal.reports("status", **mode)["redis"]["how"] != "external"
    assert terminal.reports("down", **mode)["redis"]["state"] == "stopped"


def test_stack_json_says_where_each_is(terminal: Terminal) -> None:
    terminal.somagent("up --only redis")

    (entry,) = read_stack(terminal.home).values()

    process = terminal.process("redis")
    assert (entry.name, entry.origin, entry.pid, entry.started) == (
        "redis", "started", process.pid, process.started,
    )  # fmt: skip
    assert stack_environment(terminal.home) == {"SOMAGENT_REDIS_URL": entry.address}
    assert (stack_directory(terminal.home) / "stack.json").stat().st_mode & 0o777 == 0o600
    terminal.somagent("down")
    assert read_stack(terminal.home) == {}


def test_what_a_server_needs_comes_up_with_it_and_no_secret_is_shown(terminal: Terminal) -> None:
    up = terminal.somagent("up --only spicedb")
    assert up.returncode == 0, up.stdout

    entries = read_stack(terminal.home)
    assert set(entries) == {"postgres", "spicedb"}
    shown = up.stdout + terminal.somagent("status").stdout + terminal.somagent("status --json").stdout
    for secret in (stack_directory(terminal.home)).glob("*/secrets/*"):
        assert secret.read_bytes().hex() not in shown
    configuration = Configuration.from_environment(stack_environment(terminal.home))
    assert configuration.spicedb_address == entries["spicedb"].address
    assert configuration.spicedb_token and configuration.database_url == entries["postgres"].address

    down = terminal.reports("down")
    assert {name for name, report in down.items() if report["state"] == "stopped"} == {"postgres", "spicedb"}
    assert list(down) == list(reversed(KINDS))


def test_a_crash_is_seen_and_mended_at_the_same_address(terminal: Terminal) -> None:
    terminal.somagent("up --only redis")
    address = read_stack(terminal.home)["redis"].address
    terminal.process("redis").kill()

    status = terminal.somagent("status --json --only redis")
    assert status.returncode == 1
    assert '"state": "crashed"' in status.stdout

    assert terminal.reports("up --only redis")["redis"]["address"] == address


def test_one_that_cannot_start_leaves_the_others_up(terminal: Terminal, tmp_path: Path) -> None:
    broken = tmp_path / "bin"
    broken.mkdir()
    program = broken / "redis-server"
    program.write_text("#!/bin/sh\n[ $1 = --version ] && echo v=7.0.0 || echo no such module\n")
    program.chmod(0o755)
    path = f"{broken}:{environment(tmp_path)['PATH']}"

    up = terminal.somagent("up --only opa,redis", PATH=path)

    assert up.returncode == 4
    assert "redis: redis ended while starting: no such module" in up.stdout
    assert "SOMAGENT_DEPLOYMENT_MODE" not in up.stdout
    assert terminal.reports("status")["opa"]["state"] == "running"


def test_without_a_tool_one_line_says_so(terminal: Terminal, tmp_path: Path) -> None:
    bare = tmp_path / "bin"
    bare.mkdir()
    for name in ("somagent", "bash", "env"):
        found = bash(f"command -v {name}", environment(tmp_path)).stdout.strip()
        (bare / name).symlink_to(found)

    up = terminal.somagent("up --only kafka,redis", PATH=str(bare), XDG_CACHE_HOME=str(tmp_path / "cache"))

    assert up.returncode == 4
    assert "kafka: Kafka needs `java`, which is not on this machine's PATH" in up.stdout
    assert terminal.process("redis").running


def test_a_server_named_by_address_is_used_and_left_alone(
    terminal: Terminal, shared_server: OpenServer
) -> None:
    server = shared_server("redis")
    external = server.environment

    up = terminal.reports("up --only redis", **external)
    assert up["redis"]["state"] == "external" and up["redis"]["serves"]
    assert not (stack_directory(terminal.home) / "redis").exists()
    assert read_stack(terminal.home)["redis"] == Entry(
        name="redis", address=server.address, origin="external", environment=external
    )

    assert terminal.reports("down", **external)["redis"]["state"] == "external"
    server.health()


def test_one_that_we_started_is_stopped_even_if_its_address_is_named_now(terminal: Terminal) -> None:
    terminal.somagent("up --only redis")
    named = stack_environment(terminal.home)

    assert terminal.reports("up --only redis", **named)["redis"]["state"] == "external"
    assert terminal.reports("down", **named)["redis"]["state"] == "stopped"


def test_a_server_named_by_address_that_does_not_answer_is_said(terminal: Terminal) -> None:
    up = terminal.somagent("up --only kafka", SOMAGENT_KAFKA_SERVERS="127.0.0.1:9")
    assert up.returncode == 4
    assert "kafka: 127.0.0.1:9 does not answer" in up.stdout


def test_spicedb_keeps_its_relations_in_the_postgres_that_is_named(
    terminal: Terminal, own_server: OpenServer
) -> None:
    up = terminal.reports("up --only spicedb", **own_server("postgres").environment)

    assert {name: report["state"] for name, report in up.items()} == {
        "postgres": "external",
        "spicedb": "running",
    }
    assert "postgres@" in up["postgres"]["address"]


def test_what_an_external_server_needs_is_its_own_business(
    terminal: Terminal, own_server: OpenServer
) -> None:
    server = own_server("spicedb", engine="memory")
    assert list(terminal.reports("up --only spicedb", **server.environment)) == ["spicedb"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_up_leaves_nothing_half_started(terminal: Terminal, number: signal.Signals) -> None:
    command = ["somagent", "stack", "up", "--only", "redis,kafka"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(terminal.home), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as up:
        record = stack_directory(terminal.home) / "kafka" / "server.json"
        wait_until(record.exists, seconds=60)
        kafka = terminal.process("kafka")
        os.kill(up.pid, number)
        printed, _ = up.communicate(timeout=60)

    assert up.returncode == 130, printed
    assert not kafka.running
    assert not record.exists()
    assert terminal.process("redis").running
    assert list(read_stack(terminal.home)) == ["redis"]


def test_a_kill_of_up_itself_is_made_good_by_down(terminal: Terminal) -> None:
    command = ["somagent", "stack", "up", "--only", "kafka"]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(terminal.home),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as up:
        wait_until((stack_directory(terminal.home) / "kafka" / "server.json").exists, seconds=60)
        up.kill()
    kafka = terminal.process("kafka")
    assert kafka.running

    assert terminal.reports("down --only kafka")["kafka"]["state"] == "stopped"
    assert not kafka.running


def test_a_taken_default_port_is_avoided(terminal: Terminal, own_server: OpenServer) -> None:
    if is_free(KINDS["redis"].port):
        own_server("redis", port=KINDS["redis"].port)

    address = terminal.reports("up --only redis")["redis"]["address"]

    assert str(KINDS["redis"].port) not in address


def test_kafkas_own_tools_speak_to_the_stacks_kafka(terminal: Terminal, shared_server: OpenServer) -> None:
    external = shared_server("kafka").environment
    topic = f"tools.{os.getpid()}"
    made = terminal.somagent(f"kafka topics --create --topic {topic}", **external)
    assert made.returncode == 0, made.stdout

    assert topic in terminal.somagent("kafka topics --list", **external).stdout


def test_kafkas_tools_without_a_kafka(terminal: Terminal) -> None:
    asked = terminal.somagent("kafka topics --list")
    assert asked.returncode == 4
    assert "kafka has not been started" in asked.stdout


def test_an_unknown_name_is_refused(terminal: Terminal) -> None:
    refused = terminal.somagent("up --only redis,mongodb")
    assert refused.returncode == 2
    assert "mongodb" in refused.stdout


def test_fetch_starts_nothing(terminal: Terminal) -> None:
    fetched = terminal.reports("fetch --only redis,opa")
    assert {report["state"] for report in fetched.values()} == {"fetched"}
    assert not list(terminal.home.glob("stack/*"))
