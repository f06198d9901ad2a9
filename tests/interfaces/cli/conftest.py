"""One installation for the run: making its database takes longer than most commands."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.interfaces.cli.installation import Installation


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """A fresh home."""
    return Installation(home=tmp_path_factory.mktemp("installation"))


@pytest.fixture(scope="session")
def asked(installation: Installation) -> dict[str, Any]:
    """What the first `ask --json` of a fresh home says. Tests that need a home with a database use it."""
    return installation.ask("Say hello.", "--seed", "7")


@pytest.fixture
def occupied_port() -> Iterator[int]:
    """A port that somebody else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]
