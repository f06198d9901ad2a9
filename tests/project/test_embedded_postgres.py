"""The embedded server: shared by the processes of a home, stopped by the last."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import psutil
import psycopg
import pytest

from soma.base.errors import InvalidInput
from soma.project.embedded_postgres import EmbeddedPostgres
from soma.project.postgres_location import SUPERUSER, data_directory

USER = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from soma.project.embedded_postgres import EmbeddedPostgres

    postgres = EmbeddedPostgres(Path(sys.argv[1]))
    postgres.start()
    print("started", flush=True)
    sys.stdin.read()
    postgres.release()
    """
)


@pytest.fixture
def place() -> Iterator[Path]:
    """A home of its own, whose path is short enough for a socket."""
    home = Path(tempfile.mkdtemp(prefix="soma-pg-"))
    yield home
    shutil.rmtree(home, ignore_errors=True)


def user(home: Path) -> "subprocess.Popen[str]":
    """A process that uses the server until its standard input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", USER, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def postmaster(home: Path) -> int:
    """The server's process id."""
    return int((data_directory(home) / "postmaster.pid").read_text().split()[0])


def runs(process_id: int) -> bool:
    """Whether the process lives; a dead one that nobody has asked after does not."""
    try:
        return psutil.Process(process_id).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def answers(home: Path) -> bool:
    """Whether the server takes a query."""
    socket = (data_directory(home) / "postmaster.pid").read_text().splitlines()[4]
    with psycopg.connect(host=socket, user=SUPERUSER, dbname="postgres") as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.req("TTFT-001")
def test_the_last_user_stops_it(place: Path) -> None:
    mine = EmbeddedPostgres(place)
    mine.start()
    with user(place) as other:
        assert other.stdout is not None and other.stdout.readline() == "started\n"
        server = postmaster(place)
        mine.release()
        assert answers(place)
        other.communicate()

    assert not runs(server)


@pytest.mark.req("CHAT-004")
def test_a_killed_user_holds_nothing(place: Path) -> None:
    with user(place) as other:
        assert other.stdout is not None and other.stdout.readline() == "started\n"
        other.kill()
    server = postmaster(place)

    mine = EmbeddedPostgres(place)
    mine.start()
    assert postmaster(place) == server
    mine.release()

    assert not runs(server)


@pytest.mark.req("CHAT-004")
def test_it_comes_back_after_the_server_itself_was_killed(place: Path) -> None:
    mine = EmbeddedPostgres(place)
    mine.start()
    server = psutil.Process(postmaster(place))
    os.kill(server.pid, signal.SIGKILL)
    psutil.wait_procs([server], timeout=2)

    again = EmbeddedPostgres(place)
    again.start()

    assert answers(place)
    again.release()
    mine.release()


@pytest.mark.req("CHAT-004")
def test_a_killed_server_is_revived_and_a_living_one_left_alone(place: Path) -> None:
    mine = EmbeddedPostgres(place)
    mine.start()
    assert not mine.revive()
    server = psutil.Process(postmaster(place))
    os.kill(server.pid, signal.SIGKILL)
    psutil.wait_procs([server], timeout=2)

    assert mine.revive()

    assert answers(place)
    mine.release()


@pytest.mark.req("TTFT-001")
def test_what_is_stopped_is_not_taken_for_killed(place: Path) -> None:
    """However closely it is watched."""
    for _ in range(3):
        mine, released = EmbeddedPostgres(place), Event()
        mine.start()
        server = postmaster(place)
        with ThreadPoolExecutor(1) as threads:
            watched = threads.submit(lambda: [mine.revive() for _ in iter(released.is_set, True)])  # noqa: B023
            mine.release()
            released.set()
        assert not any(watched.result())
        assert not runs(server)
        assert not (data_directory(place) / "postmaster.pid").exists()


@pytest.mark.req("TTFT-001")
def test_many_may_start_at_once(place: Path) -> None:
    users = [user(place) for _ in range(3)]
    for each in users:
        assert each.stdout is not None and each.stdout.readline() == "started\n"
    server = postmaster(place)
    for each in users:
        each.communicate()

    assert not runs(server)


@pytest.mark.req("TTFT-001")
def test_a_path_with_spaces_is_refused_by_name(place: Path) -> None:
    with pytest.raises(InvalidInput, match=r"SOMAGENT_HOME.*without spaces"):
        EmbeddedPostgres(place / "my home").start()

    assert list(place.iterdir()) == []


@pytest.mark.req("TTFT-001")
def test_a_path_too_long_for_a_socket_works(place: Path) -> None:
    long = place / ("directory-" * 12)
    mine = EmbeddedPostgres(long)
    mine.start()

    assert answers(long)
    mine.release()
