"""Prometheus scrapes the application's port."""

import httpx
import pytest

from tests.events.waiting import wait_until
from tests.project.stack.hosts import hosts
from tests.servers import OpenServer

pytestmark = pytest.mark.req("STACK-001")


def targets(address: str) -> list[str]:
    """What it scrapes."""
    answer = httpx.get(f"{address}/api/v1/targets", timeout=10).json()
    return [target["scrapeUrl"] for target in answer["data"]["activeTargets"]]


def test_it_scrapes_the_application(own_server: OpenServer) -> None:
    server = own_server("prometheus", scraped_port=8123)
    assert hosts(server) == {"127.0.0.1"}

    wait_until(lambda: targets(server.address) == ["http://127.0.0.1:8123/metrics"])

    server.kill()
    server.start()
    assert server.stop()
