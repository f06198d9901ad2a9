"""A checkout on a machine that has only make and Python becomes one that answers."""

import json
import shutil
import time
from pathlib import Path

import pytest

from tests.shell import ROOT, bash, environment, free_port

pytestmark = [pytest.mark.req("TTFT-001"), pytest.mark.timeout(300)]

LEFT_BEHIND = shutil.ignore_patterns(".venv", ".git", ".*_cache", "__pycache__", "*.egg-info", ".hypothesis")
BAR_SECONDS = 300
AGAIN_SECONDS = 5


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of this tree without anything that was made in it."""
    return Path(shutil.copytree(ROOT, tmp_path / "checkout", ignore=LEFT_BEHIND))


def test_from_a_bare_checkout_to_the_first_answer(checkout: Path, tmp_path: Path) -> None:
    variables = environment(tmp_path / "home", SOMAGENT_PORT=str(free_port()))
    started = time.monotonic()
    installed = bash("make install", variables, cwd=checkout)
    assert installed.returncode == 0, installed.stdout
    asked = bash(".venv/bin/somagent ask --json 'Are you there?' 2>/dev/null", variables, cwd=checkout)
    assert json.loads(asked.stdout)["answer"]
    assert time.monotonic() - started < BAR_SECONDS

    started = time.monotonic()
    again = bash("make install", variables, cwd=checkout)
    assert (again.returncode, again.stdout) == (0, "")
    assert time.monotonic() - started < AGAIN_SECONDS


def test_an_old_python_is_named_with_what_to_do(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    refused = bash(f"make install PYTHON={old}", environment(tmp_path))
    assert refused.returncode != 0
    assert "SomaStack needs Python 3.11 or newer" in refused.stdout
    assert "make PYTHON=" in refused.stdout


def test_a_python_without_venv_is_told_the_package(checkout: Path, tmp_path: Path) -> None:
    hidden = tmp_path / "sitecustomize.py"
    hidden.write_text("import sys\nsys.modules['ensurepip'] = None\n")
    refused = bash("make install", environment(tmp_path, PYTHONPATH=str(tmp_path)), cwd=checkout)
    assert refused.returncode != 0
    assert "cannot make virtual environments" in refused.stdout
    assert "venv" in refused.stdout.rpartition("Mend it:")[2]
