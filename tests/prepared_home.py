"""Homes whose database and models are made already, once in a run: most of the time of a first start.

What a first start does is tested where it is the question: tests/test_install.py, interfaces/cli/test_ask.py
and test_up.py.
"""

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.shell import ROOT

HOME = "SOMA_TEST_HOME"
PARTS = ("postgres", "models")
PATIENCE_SECONDS = 100.0
PrepareHome = Callable[[Path], Path]


@pytest.fixture(scope="session")
def prepare_home() -> PrepareHome:
    """`prepare_home(home)` puts into `home` what a first start makes there, but its keys. Gives it back."""
    template = _template()

    def prepare(home: Path) -> Path:
        home.mkdir(parents=True, exist_ok=True)
        # As root the database belongs to another user: copies keep their owner.
        subprocess.run(["cp", "-Rp", *(str(template / part) for part in PARTS), str(home)], check=True)
        return home

    return prepare


def _template() -> Path:
    """A home that no process uses, made by whichever worker asks first."""
    template = Path(os.environ[HOME]) / "prepared"
    template.mkdir(exist_ok=True)
    with open(template / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (template / "made").exists():
            _make(template)
            (template / "made").touch()
    return template


def _make(home: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SOMA")}
    subprocess.run(
        [sys.executable, "-m", "tests.make_home"],
        cwd=ROOT,
        env={
            **kept,
            "SOMAGENT_HOME": str(home),
            "SOMAGENT_DEPLOYMENT_MODE": "test",
            "DJANGO_SETTINGS_MODULE": "soma.project.settings",
            "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
        },
        timeout=PATIENCE_SECONDS,
        check=True,
    )
