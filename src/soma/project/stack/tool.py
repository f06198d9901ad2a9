"""The machine's own tools, which build and fetch servers: go, mvn, java, apt-get."""

import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from soma.base.errors import Unavailable
from soma.project.stack.cache import Progress
from soma.project.stack.process import inherited

REPORT_SECONDS = 15.0
LINES, WIDTH = 6, 400


def find_tool(name: str, *, needed_for: str) -> str:
    """The path of the tool `name`. Raises Unavailable saying what lacks it."""
    path = shutil.which(name)
    if path is None:
        raise Unavailable(f"{needed_for} needs `{name}`, which is not on this machine's PATH")
    return path


def run_tool(
    command: Sequence[str],
    *,
    what: str,
    log: Path,
    progress: Progress,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> None:
    """Run `command` to its end, reporting now and then. Raises Unavailable with the end of its output."""
    started = reported = time.monotonic()
    with open(log, "ab") as output:
        child = subprocess.Popen(
            command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    with child:
        try:
            while child.poll() is None:
                if time.monotonic() - reported >= REPORT_SECONDS:
                    reported = time.monotonic()
                    progress(f"{what}, {reported - started:.0f} s so far")
                time.sleep(0.05)
        finally:
            child.terminate()
    if child.returncode != 0:
        raise Unavailable(f"{what} failed: {tail(log)}")


def read_tool(
    command: Sequence[str],
    *,
    what: str = "",
    environment: Mapping[str, str] | None = None,
    user: str | None = None,
) -> str:
    """What `command` prints. Raises Unavailable with what it complains of."""
    try:
        done = subprocess.run(
            command,
            cwd="/",
            env={**inherited(), **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )
    except OSError as error:
        raise Unavailable(f"{what or command[0]} failed: {error}") from error
    if done.returncode != 0:
        raise Unavailable(f"{what or command[0]} failed: {_last_lines(done.stdout + done.stderr)}")
    return done.stdout


def tail(log: Path, *, after: int = 0) -> str:
    """The last lines that a log has beyond its first `after` bytes, on one line."""
    return _last_lines(printed(log, after=after))


def printed(log: Path, *, after: int = 0) -> str:
    """What a log has beyond its first `after` bytes."""
    try:
        with open(log, "rb") as stream:
            stream.seek(after)
            return stream.read().decode(errors="replace")
    except FileNotFoundError:
        return ""


def _last_lines(text: str) -> str:
    lines = text.strip().splitlines()[-LINES:]
    return " | ".join(line[:WIDTH] for line in lines) or "it printed nothing"
