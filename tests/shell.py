"""Commands as a person gives them: in a home of their own, without what this test run has set."""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OURS = ("SOMA", "SA01_", "DJANGO_", "PYTEST_", "MAKE", "MFLAGS")


def environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a new terminal, with `somagent` on its path and its data in `home`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    path = f"{Path(sys.executable).parent}{os.pathsep}{inherited.get('PATH', os.defpath)}"
    return {**inherited, "PATH": path, "SOMAGENT_HOME": str(home), **more}


def bash(script: str, variables: Mapping[str, str], *, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run `script`; it stops at the first command that fails. Standard error is mixed into the output."""
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=cwd,
        env=dict(variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
