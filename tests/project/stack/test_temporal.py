"""Temporal's development server keeps its state, and listens on this machine only."""

import subprocess

import psutil
import pytest

from soma.project.stack.server import Server
from tests.project.stack.hosts import hosts
from tests.servers import OpenServer

pytestmark = pytest.mark.req("STACK-001")


def temporal(server: Server, *arguments: str) -> str:
    """What Temporal's command line prints of this server."""
    program = str(server.kind.program(lambda _: None).path)
    command = [
        program,
        "operator",
        "namespace",
        *arguments,
        "--address",
        server.address,
        "--disable-config-file",
    ]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_it_does_not_ask_its_makers_for_a_newer_version(shared_server: OpenServer) -> None:
    record = shared_server("temporal").record
    assert record is not None
    assert psutil.Process(record.pid).environ()["TEMPORAL_VERSION_CHECK_DISABLED"] == "1"


def test_its_namespaces_outlive_a_kill(own_server: OpenServer) -> None:
    server = own_server("temporal")
    assert hosts(server) == {"127.0.0.1"}
    temporal(server, "create", "--namespace", "kept")

    server.kill()
    server.start()

    assert "kept" in temporal(server, "describe", "--namespace", "kept")
    assert server.stop()
