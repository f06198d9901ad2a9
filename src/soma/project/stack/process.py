"""A server's process: in a session of its own, so that it outlives us, and known again by its start time."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

BOOT = Path("/proc/sys/kernel/random/boot_id")
KILL_SECONDS = 10.0
INHERITED = ("HOME", "JAVA_HOME", "PATH", "TMPDIR", "TZ")
"""What a server gets of our environment; the rest, our secrets among it, is none of its business."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Launch:
    """How a process is started. `user` is the system account to become, for a server that refuses root."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: Path
    user: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Process:
    """A process that we started. The pair cannot mean another one: a pid is used again, its start is not."""

    pid: int
    started: str

    @property
    def running(self) -> bool:
        """Whether it is still this very process, and not merely its exit code."""
        seen = _observe(self.pid)
        if seen is None or seen.started != self.started:
            return False
        if seen.ended:
            _reap(self.pid)
        return not seen.ended

    def end(self, *, by: signal.Signals, seconds: float) -> bool:
        """Ask it to end with `by`, and kill what has not ended in `seconds`; whether it ended by itself."""
        family = self._family()
        if not family:
            return True
        self._signal(by)
        asked = self._wait(seconds)
        for each in family:
            _kill(each)
        deadline = time.monotonic() + KILL_SECONDS
        while any(_lives(each) for each in family) and time.monotonic() < deadline:
            time.sleep(0.01)
        return asked

    def kill(self) -> None:
        """End it and its children at once, as a power cut would."""
        self.end(by=signal.SIGKILL, seconds=KILL_SECONDS)

    def _signal(self, by: signal.Signals) -> None:
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, by)

    def _wait(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.running:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.02)
        return True

    def _family(self) -> list[psutil.Process]:
        """It and its children: psutil compares start times before it signals any of them."""
        if not self.running:
            return []
        try:
            parent = psutil.Process(self.pid)
            return [parent, *parent.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []


def spawn(launch: Launch, log: Path) -> Process:
    """Start it, with what it prints appended to `log`. Raises OSError."""
    with open(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as output:
        child = subprocess.Popen(
            launch.command,
            cwd=launch.directory,
            env={**inherited(), **launch.environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=0o077,
            user=launch.user,
            group=launch.user,
            extra_groups=None if launch.user is None else [],
        )
    # Nobody waits for it through this object: it is init's once we end, and `running` reaps it until then.
    child.returncode = 0
    seen = _observe(child.pid)
    return Process(pid=child.pid, started=seen.started if seen else "")


def inherited() -> dict[str, str]:
    """The part of our environment that servers and their tools get."""
    return {"LANG": "C.UTF-8", **{name: os.environ[name] for name in INHERITED if name in os.environ}}


def this_process() -> Process:
    """The process that asks."""
    seen = _observe(os.getpid())
    return Process(pid=os.getpid(), started=seen.started if seen else "")


def has_ended(pid: int) -> bool:
    """Whether no process `pid` runs: there is none, or its exit code waits for a parent who does not ask."""
    seen = _observe(pid)
    return seen is None or seen.ended


@dataclass(frozen=True, kw_only=True, slots=True)
class _Seen:
    started: str
    ended: bool


def _observe(pid: int) -> _Seen | None:
    """What has the number `pid` now. `started` is in a form that no other process of that number can have:
    on Linux in ticks since a named boot, since the time of day would move with the clock."""
    if not BOOT.exists():
        return _observe_elsewhere(pid)
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return _Seen(started=f"{BOOT.read_text().strip()}:{fields[19]}", ended=fields[0] in "ZX")


def _observe_elsewhere(pid: int) -> _Seen | None:
    try:
        process = psutil.Process(pid)
        return _Seen(started=f"{process.create_time():.2f}", ended=process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return None


def _reap(pid: int) -> None:
    """Take its exit code, if it is our child."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _lives(process: psutil.Process) -> bool:
    """Whether it runs. Its exit code may wait for a parent who is slow to ask; that is nobody's server."""
    try:
        _reap(process.pid)
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _kill(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.kill()
