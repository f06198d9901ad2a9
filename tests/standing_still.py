"""A server that is there and does nothing."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from soma.project.stack.server import Server

PATIENCE_S = 10.0


@contextmanager
def standing_still(server: Server) -> Iterator[None]:
    """`server`, stopped as by SIGSTOP for the block: each of its threads has stopped when it begins."""
    assert server.record is not None
    process = psutil.Process(server.record.pid)
    process.suspend()
    try:
        until = time.monotonic() + PATIENCE_S
        while not _stopped(process):
            assert time.monotonic() < until
        yield
    finally:
        process.resume()


def _stopped(process: psutil.Process) -> bool:
    """Threads stop one by one, a moment after the signal."""
    tasks = list(Path(f"/proc/{process.pid}/task").glob("*/stat"))
    if not tasks:
        return str(process.status()) == psutil.STATUS_STOPPED
    return all(task.read_text().rpartition(")")[2].split()[0] == "T" for task in tasks)
