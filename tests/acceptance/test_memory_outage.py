"""A memory that cannot be asked does not look like an empty one."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.server import Server
from tests.servers import OpenServer

pytestmark = [pytest.mark.req("MEM-002"), pytest.mark.timeout(300)]
RECALL: dict[str, Any] = {"query": "Where is the green kettle?"}
BACK_SECONDS = 30.0
NOWHERE = "/v1/memory/0198c0de-0000-7000-8000-000000000000"


@pytest.fixture
def server() -> Iterator[Server]:
    """A server with a short home, which holds a socket."""
    home = Path(tempfile.mkdtemp(prefix="soma-out-"))
    made = Server(home)
    yield made
    made.stop()
    shutil.rmtree(home, ignore_errors=True)


def test_without_its_database_memory_answers_503_and_with_it_again(
    server: Server, own_server: OpenServer
) -> None:
    database = own_server("postgres")
    server.start(SOMAGENT_DATABASE_URL=database.address)
    assert server.post("/v1/memory/recall", RECALL)["evidence"] == []  # empty is an answer
    server.post("/v1/memory/remember", {"content": "The green kettle stands in the workshop."})
    assert len(server.post("/v1/memory/recall", RECALL)["evidence"]) == 1

    database.stop()
    for method, path, body in (
        ("POST", "/v1/memory/recall", RECALL),
        ("POST", "/v1/memory/remember", {"content": "The kettle is red."}),
        ("GET", "/v1/memory/namespaces", None),
        ("GET", "/v1/memory/export", None),
        ("GET", NOWHERE, None),
        ("DELETE", NOWHERE, None),
        ("DELETE", "/v1/memory?namespace=default", None),
    ):
        answer = server.patiently(method, path, body)
        assert answer.status_code == 503, (method, path, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        assert "evidence" not in answer.json()

    database.start()
    assert _answered(server).json()["evidence"][0]["content"].startswith("The green kettle")


def _answered(server: Server) -> httpx.Response:
    """What recall answers once the database is back."""
    deadline = time.monotonic() + BACK_SECONDS
    while (answer := server.patiently("POST", "/v1/memory/recall", RECALL)).status_code != 200:
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.1)
    return answer
