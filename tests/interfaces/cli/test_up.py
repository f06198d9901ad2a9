"""`somagent up`: everything served, and nothing left behind."""

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.interfaces.cli.installation import Installation, Started
from tests.interfaces.event_stream import Received, received
from tests.interfaces.person import CONVERSATIONS

pytestmark = pytest.mark.req("CLI-001")
LOGGED = re.compile(r"^\d{4}-\d\d-\d\d .* (?:INFO|WARNING) ")
ADDRESS = re.compile(r"^Open (http://127\.0\.0\.1:\d+)/(?:#token=(\S+))?$", re.MULTILINE)


def opened(server: Started) -> "re.Match[str]":
    """The last line, once it stands."""
    match = ADDRESS.search(
        server.until(lambda text: ADDRESS.search(text) is not None and text.endswith("\n"))
    )
    assert match is not None
    # What the log says goes to standard error, and may come at any time.
    told = [line for line in server.text.splitlines() if line.strip() and not LOGGED.match(line)]
    assert told[-1] == match[0]
    return match


@contextmanager
def client_of(url: str, key: str) -> Iterator[httpx.Client]:
    """A client with a session that was minted with `key`."""
    with httpx.Client(base_url=url, timeout=60) as client:
        minted = client.post("/v1/session/mint", json={}, headers={"Authorization": f"Bearer {key}"}).json()
        client.headers["Authorization"] = f"Bearer {minted['jwt']}"
        yield client


@contextmanager
def begun_stream(client: httpx.Client) -> Iterator[Iterator[Received]]:
    """The events of a turn that has just begun."""
    address = f"{CONVERSATIONS}/{client.post(CONVERSATIONS, json={}).json()['id']}/messages"
    message = {"message": "Tell me a very long story of the sea."}
    with client.stream("POST", address, json=message, headers={"Accept": "text/event-stream"}) as answer:
        events = received(answer.iter_lines())
        assert next(events).event == "turn.started"
        yield events


def test_key_is_shown_once_and_a_signal_ends_server_and_streams(tmp_path: Path) -> None:
    installation = Installation(home=tmp_path)
    with installation.start("up", "--port", "0") as server:
        url, key = opened(server).groups()
        assert server.text.index("PostgreSQL") < server.text.index(key) < server.text.index("Open ")
        with client_of(url, key) as client, begun_stream(client) as events:
            server.process.send_signal(signal.SIGTERM)
            assert all(event.event != "turn.failed" for event in events)
        assert server.end() == 0, server.text
        assert "Traceback" not in server.text
    with installation.start("up", "--port", "0") as server:
        url, key = opened(server).groups()
        assert key is None
        assert httpx.get(f"{url}/readyz").status_code == 200
        server.process.send_signal(signal.SIGINT)
        assert server.end() == 0, server.text
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/healthz")


@pytest.mark.usefixtures("asked")
def test_port_in_use_names_the_option(installation: Installation, occupied_port: int) -> None:
    ended = installation.run("up", "--port", str(occupied_port))
    assert ended.returncode == 4
    assert f"port {occupied_port}" in ended.stderr
    assert "--port" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.usefixtures("asked")
def test_kill_while_starting_ends_at_once(installation: Installation) -> None:
    with installation.start("up", "--port", "0") as server:
        server.until(lambda text: "PostgreSQL" in text)
        server.process.send_signal(signal.SIGTERM)
        assert server.end() in {0, 130}, server.text
        assert "Traceback" not in server.text


def test_further_key_of_the_owner(installation: Installation, asked: dict[str, Any]) -> None:
    ended = installation.run("token", "new")
    assert re.fullmatch(r"soma_[0-9a-f]{32}_[\w-]{43}\n", ended.stdout), ended.stderr
