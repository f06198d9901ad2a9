"""A SOMAGENT_HOME for one benchmark, with nothing in it at first and nothing left of it afterwards."""

import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

STOP_SECONDS = 10.0


@contextmanager
def fresh_home() -> Iterator[Path]:
    """A new home; its server is stopped at the end, should a killed benchmark have left it running."""
    home = Path(tempfile.mkdtemp(prefix="soma-bench-"))
    try:
        yield home
    finally:
        _stop_server(home)
        shutil.rmtree(home, ignore_errors=True)


def postmaster(home: Path) -> psutil.Process | None:
    """The main process of the home's embedded PostgreSQL, if it runs."""
    with suppress(OSError, ValueError, psutil.NoSuchProcess):
        return psutil.Process(int((home / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0]))
    return None


def _stop_server(home: Path) -> None:
    process = postmaster(home)
    if process is not None:
        with suppress(psutil.Error):
            process.send_signal(signal.SIGINT)
            process.wait(STOP_SECONDS)
