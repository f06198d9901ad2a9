"""An installation of its own, used through its command line as a person or a script does."""

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

COMMAND = (sys.executable, "-m", "soma.project.main")
PATIENCE = 100.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Installation:
    """A home, and what the environment adds to it."""

    home: Path
    settings: dict[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """The whole environment of a command: nothing of the test run's own."""
        base = {"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(sys.path), "HOME": str(self.home)}
        return base | {"SOMAGENT_HOME": str(self.home / "soma")} | self.settings

    def run(self, *arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        """The command `arguments`, to its end."""
        return subprocess.run(
            [*COMMAND, *arguments],
            env=self.environment(),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def ask(self, text: str, *options: str) -> dict[str, Any]:
        """What `ask --json` says; nothing but that is on standard output."""
        ended = self.run("ask", "--json", text, *options)
        assert ended.returncode == 0, ended.stderr
        answer: dict[str, Any] = json.loads(ended.stdout)
        return answer

    def start(self, *arguments: str) -> "Started":
        """The command `arguments`, running; leaving its context ends it."""
        process = subprocess.Popen(
            [*COMMAND, *arguments],
            env=self.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        return Started(process=process)


@dataclass(kw_only=True, slots=True)
class Started:
    """A command that runs, and what it has written so far."""

    process: "subprocess.Popen[bytes]"
    text: str = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *ended: object) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()

    def write(self, line: str) -> None:
        """Type `line`."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()

    def until(self, satisfied: Callable[[str], bool]) -> str:
        """Read on until what was written is satisfying; then all of it."""
        assert self.process.stdout is not None
        deadline = time.monotonic() + PATIENCE
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while not satisfied(self.text):
                assert selector.select(deadline - time.monotonic()), f"only this came:\n{self.text}"
                piece = os.read(self.process.stdout.fileno(), 65536)
                assert piece, f"the command ended after:\n{self.text}"
                self.text += piece.decode()
        return self.text

    def end(self) -> int:
        """Read the rest and give the exit code."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.text += self.process.stdout.read().decode()
        return self.process.wait(PATIENCE)
