"""Real servers for tests: `shared_server` gives one that the whole run shares, `own_server` a private one.

Both are callables that take the server's name and start it when it is first asked for. Where a server
cannot be had the test is skipped with the reason; with SOMA_STACK=required in the environment it fails.
"""

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn
from uuid import uuid4

import pytest

from soma.base.errors import Unavailable
from soma.project.stack.process import Process, this_process
from soma.project.stack.record import read_record
from soma.project.stack.server import Server
from soma.project.stack.servers import KINDS, open_server

HOME = "SOMA_TEST_HOME"
REQUIRED = "SOMA_STACK"
BUILD_SECONDS = 900
OpenServer = Callable[..., Server]


@pytest.fixture(scope="session")
def shared_server() -> OpenServer:
    """`shared_server(name)`: the run's server of that name. Do not stop it; keep to tenants, topics,
    databases and collections of your own."""
    return _shared


@pytest.fixture
def own_server() -> Iterator[OpenServer]:
    """`own_server(name, **options)`: a server that the test may stop, kill and start again.

    SpiceDB gets a database of its own on the shared PostgreSQL; `engine="memory"` spares that. `prepare` is
    called with the server before it starts.
    """
    opened: list[Server] = []

    def own(
        name: str,
        *,
        engine: str = "postgres",
        prepare: Callable[[Server], None] = lambda _: None,
        **options: Any,
    ) -> Server:
        if name == "spicedb" and engine != "memory" and "postgres_url" not in options:
            options |= {"postgres_url": _shared("postgres").address, "database": f"own_{uuid4().hex}"}
        server = open_server(name, _directory() / "own" / uuid4().hex / name, **options)
        opened.append(server)
        prepare(obtained(server))
        server.start()
        return server

    yield own
    for server in opened:
        server.kill()


def _shared(name: str) -> Server:
    options: dict[str, Any] = {}
    if name == "spicedb":
        options["postgres_url"] = _shared("postgres").address
    server = obtained(open_server(name, _directory() / "shared" / name, **options))
    try:
        server.start()
    except Unavailable as error:
        _remember(name, error.detail)
        do_without(name, error.detail)
    return server


def obtained(server: Server) -> Server:
    """`server`, whose program is on this machine now. What could not be had once is not tried again."""
    refused = _refused(server.name)
    if refused.exists():
        do_without(server.name, refused.read_text())
    try:
        server.kind.program(lambda _: None)
    except Unavailable as error:
        _remember(server.name, error.detail)
        do_without(server.name, error.detail)
    return server


def _remember(name: str, reason: str) -> None:
    _refused(name).parent.mkdir(parents=True, exist_ok=True)
    _refused(name).write_text(reason)


def _refused(name: str) -> Path:
    return _directory() / "unavailable" / name


def do_without(name: str, reason: str) -> NoReturn:
    """Skip the test, or fail it where every server is required."""
    message = f"{name} cannot be had here: {reason}"
    if os.environ.get(REQUIRED) == "required":
        pytest.fail(f"{message} ({REQUIRED}=required)", pytrace=False)
    pytest.skip(message)


def _directory() -> Path:
    return Path(os.environ[HOME]) / "servers"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give a test that may be the one for whom servers are built the time for that."""
    if all(kind().cached() for kind in KINDS.values()):
        return
    for item in items:
        names = getattr(item, "fixturenames", ())
        if {"shared_server", "own_server"} & set(names) and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(BUILD_SECONDS))


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """In the process that starts the run: end what a run that was killed has left behind."""
    if _is_worker(config):
        return
    for run in Path(tempfile.gettempdir()).glob("soma-test-*/servers/run.json"):
        if run.stat().st_uid == os.getuid() and not Process(**json.loads(run.read_text())).running:
            end_servers(run.parent)
    _directory().mkdir(exist_ok=True)
    us = this_process()
    (_directory() / "run.json").write_text(json.dumps({"pid": us.pid, "started": us.started}))


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """In the process that started the run: end every server of it."""
    if not _is_worker(config) and HOME in os.environ:
        end_servers(_directory())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say once which servers could not be had, and why."""
    refused = sorted((_directory() / "unavailable").glob("*"))
    if refused:
        terminalreporter.section("servers that could not be had")
        for path in refused:
            terminalreporter.write_line(f"{path.name}: {path.read_text()}")


def end_servers(directory: Path) -> list[str]:
    """End every server whose record is under `directory`; the names of those that ran."""
    ended = []
    for path in sorted(directory.glob("**/server.json")):
        record = read_record(path.parent)
        if record is not None and record.process.running:
            ended.append(path.parent.name)
            record.process.kill()
    return ended


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")
