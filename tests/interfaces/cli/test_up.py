"""`somagent up`: everything served, and nothing left behind."""

import re
import signal
from typing import Any

import httpx
import pytest

from tests.interfaces.cli.installation import Installation, Started
from tests.interfaces.event_stream import received
from tests.interfaces.person import CONVERSATIONS

pytestmark = pytest.mark.req("CLI-001")
ADDRESS = re.compile(r"^Open (http://127\.0\.0\.1:\d+)/(?:#token=(\S+))?$", re.MULTILINE)


def opened(server: Started) -> "re.Match[str]":
    """The last line, once it stands."""
    match = ADDRESS.search(
        server.until(lambda text: ADDRESS.search(text) is not None and text.endswith("\n"))
    )
    assert match is not None
    assert server.text.rstrip().endswith(match[0])
    return match


@pytest.mark.usefixtures("asked")
def test_server_from_its_first_line_to_its_last(installation: Installation) -> None:
    first = installation.start("up", "--port", "0")
    url, token = opened(first).groups()
    assert first.text.index("Starting PostgreSQL") < first.text.index(token) < first.text.index("Open ")
    assert httpx.get(f"{url}/readyz").status_code == 200

    client = httpx.Client(base_url=url, timeout=60)
    minted = client.post("/v1/session/mint", json={}, headers={"Authorization": f"Bearer {token}"}).json()
    client.headers["Authorization"] = f"Bearer {minted['jwt']}"
    conversation = client.post(CONVERSATIONS, json={}).json()["id"]
    with client.stream(
        "POST",
        f"{CONVERSATIONS}/{conversation}/messages",
        json={"text": "Tell me a very long story of the sea."},
        headers={"Accept": "text/event-stream"},
    ) as answer:
        events = received(answer.iter_lines())
        assert next(events).event == "turn.started"
        first.process.send_signal(signal.SIGTERM)
        for _ in events:
            pass
    client.close()
    assert first.end() == 0, first.text
    assert "Traceback" not in first.text

    second = installation.start("up", "--port", "0")
    url, token = opened(second).groups()
    assert token is None
    second.process.send_signal(signal.SIGINT)
    assert second.end() == 0, second.text
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
    server = installation.start("up", "--port", "0")
    server.until(lambda text: "Starting PostgreSQL" in text)
    server.process.send_signal(signal.SIGTERM)
    assert server.end() in {0, 130}, server.text
    assert "Traceback" not in server.text


def test_further_key_of_the_owner(installation: Installation, asked: dict[str, Any]) -> None:
    keys = {installation.run("token", "new").stdout.strip() for _ in range(2)}
    assert len(keys) == 2
    assert all(re.fullmatch(r"soma_[0-9a-f]{32}_[\w-]{43}", key) for key in keys)
