"""The entry: quick to answer, honest about its end."""

import subprocess
import sys

import pytest

from tests.interfaces.cli.installation import Installation

pytestmark = pytest.mark.req("CLI-001")


def test_help_lists_every_command(installation: Installation) -> None:
    ended = installation.run("--help")
    assert ended.returncode == 0
    for command in ("up", "ask", "chat", "trace", "doctor", "models", "token"):
        assert f"\n  {command} " in ended.stdout


def test_entry_imports_nothing_heavy(installation: Installation) -> None:
    script = "import sys, soma.project.main; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", script],
        env=installation.environment(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert not {"django", "asyncio", "rich", "uvicorn", "numpy", "httpx", "pydantic"} & set(loaded)


def test_unknown_command_is_2(installation: Installation) -> None:
    assert installation.run("fly").returncode == 2
