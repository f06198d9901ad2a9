"""One server's life: started once, joined, started again after its death, and never half-started."""

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread

import httpx
import pytest

from soma.base.errors import InvalidInput, Unavailable
from soma.project.stack import server as server_module
from soma.project.stack.place import Place, Ports
from soma.project.stack.ports import HOST, any_port
from soma.project.stack.process import Process, has_ended
from soma.project.stack.record import Record, read_record, write_record
from soma.project.stack.server import Server
from soma.project.stack.servers import open_server
from tests.project.stack.little_server import FAIL, HANG, SERVE, LittleServer

pytestmark = pytest.mark.req("STACK-001")

Little = Callable[..., Server]


@pytest.fixture
def little(tmp_path: Path) -> Iterator[Little]:
    """Opens the little server of this test, as often as one likes; it is ended afterwards."""
    directory = tmp_path / "little"

    def opened(kind: LittleServer | None = None, **options: int) -> Server:
        return Server(kind or LittleServer(), directory, **options)

    yield opened
    opened().kill()


def process(server: Server) -> Process:
    """The process that is on record."""
    record = server.record
    assert record is not None
    return record.process


def test_it_serves_until_it_is_stopped(little: Little) -> None:
    server = little()
    assert not server.running
    with pytest.raises(Unavailable, match="has not been started"):
        _ = server.address

    server.start()
    server.health()
    assert httpx.get(server.address).is_success
    assert server.environment == {"SOMAGENT_LITTLE_URL": server.address}

    assert server.stop()
    assert not server.running
    assert not server.stop()
    with pytest.raises(Unavailable, match="does not run"):
        server.health()


def test_a_second_start_joins_the_first(little: Little) -> None:
    first, second = little(), little()
    first.start()
    started = process(first)

    second.start()
    first.start()

    assert process(first) == process(second) == started
    assert second.address == first.address


def test_starts_at_once_start_one(little: Little) -> None:
    servers = [little() for _ in range(4)]
    starting = [Thread(target=server.start) for server in servers]
    for thread in starting:
        thread.start()
    for thread in starting:
        thread.join()

    assert len({process(server) for server in servers}) == 1


def test_after_its_death_it_starts_on_its_port(little: Little) -> None:
    server = little()
    server.start()
    address, first = server.address, process(server)

    server.kill()
    assert has_ended(first.pid)
    assert server.address == address
    little().start()

    assert server.running
    assert server.address == address
    assert process(server) != first


def test_it_starts_on_its_port_after_a_stop(little: Little) -> None:
    server = little()
    server.start()
    address = server.address
    server.stop()
    assert server.address == address

    server.start()

    assert server.address == address


def test_a_change_of_how_it_is_started_is_noticed(little: Little) -> None:
    little().start()
    first = process(little())
    changed = little(LittleServer(f"print('changed')\n{SERVE}"))

    changed.start()

    assert process(changed) != first
    assert has_ended(first.pid)


def test_one_that_ends_while_starting_says_why(little: Little) -> None:
    server = little(LittleServer(FAIL))
    with pytest.raises(Unavailable, match="little ended while starting: cannot find my configuration"):
        server.start()
    assert server.record is None


def test_only_what_this_start_printed_is_shown(little: Little) -> None:
    with pytest.raises(Unavailable, match="cannot find my configuration"):
        little(LittleServer(FAIL)).start()
    with pytest.raises(Unavailable, match="ended while starting: it printed nothing"):
        little(LittleServer("raise SystemExit(1)")).start()


def test_one_that_does_not_answer_is_ended_with_what_it_printed(little: Little) -> None:
    server = little(LittleServer(HANG, start_seconds=1.0))
    with pytest.raises(Unavailable, match=r"did not answer in 1 s \(.*does not answer.*\): thinking"):
        server.start()
    assert server.record is None


def test_a_broken_program_is_named(little: Little, tmp_path: Path) -> None:
    broken = tmp_path / "program"
    broken.write_text("no program")
    broken.chmod(0o755)
    with pytest.raises(Unavailable, match=rf"little cannot be started: .*{broken}"):
        little(LittleServer(path=str(broken))).start()


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
def test_an_interrupted_start_leaves_nothing(
    little: Little, monkeypatch: pytest.MonkeyPatch, interruption: type[BaseException]
) -> None:
    seen: list[Process] = []
    server = little()

    def interrupt(self: LittleServer, address: str) -> None:
        seen.append(process(server))
        raise interruption

    monkeypatch.setattr(LittleServer, "check", interrupt)
    with pytest.raises(interruption):
        server.start()

    assert has_ended(seen[0].pid)
    assert server.record is None


def test_a_taken_port_of_its_choice_is_avoided(little: Little) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        server = little(preferred=port)
        server.start()

        assert server.address != f"http://{HOST}:{port}"
        server.health()


def test_a_free_port_of_its_choice_is_taken(little: Little) -> None:
    port = any_port()
    server = little(preferred=port)
    server.start()
    assert server.address == f"http://{HOST}:{port}"


def test_a_taken_port_that_it_must_have_is_said(little: Little) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Unavailable, match=f"port {port} is taken"):
            little(port=port).start()


def test_a_port_lost_on_the_way_is_no_reason_to_fail(little: Little, monkeypatch: pytest.MonkeyPatch) -> None:
    """The port is free when it is chosen, and taken when the server wants it."""
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        choices = iter([port])
        really = Ports.place

        def lose(self: Ports, directory: Path, last: Record | None, *, anew: bool) -> Place:
            place = really(self, directory, last, anew=anew)
            return replace(place, port=next(choices, place.port))

        monkeypatch.setattr(Ports, "place", lose)
        server = little()
        server.start()

        assert server.running
        assert server.address != f"http://{HOST}:{port}"


def test_a_record_of_a_process_that_is_gone_is_no_running_server(little: Little) -> None:
    server = little()
    server.start()
    record = process(server)
    server.kill()

    assert server.record is not None and not server.running
    server.start()
    assert process(server) != record


def test_a_process_that_got_its_number_is_not_ended(little: Little, tmp_path: Path) -> None:
    server = little()
    server.start()
    stranger = LittleServer()
    other = Server(stranger, tmp_path / "other")
    other.start()
    mine, its = read_record(server.directory), read_record(other.directory)
    assert mine is not None and its is not None
    server.kill()
    write_record(server.directory, replace(mine, pid=its.pid))

    assert not server.running
    server.kill()
    server.stop()

    assert other.running
    other.kill()


def test_a_record_that_cannot_be_read_stops_everything(little: Little) -> None:
    server = little()
    server.start()
    running = process(server)
    (server.directory / "server.json").write_text("{")

    with pytest.raises(Unavailable, match="cannot be read"):
        server.start()
    with pytest.raises(Unavailable, match="cannot be read"):
        server.stop()

    assert running.running
    running.kill()
    (server.directory / "server.json").unlink()


def test_a_long_log_is_begun_anew(little: Little, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "LOG_BYTES", 3)
    server = little()
    server.directory.mkdir()
    server.log.write_text("old log")

    server.start()

    assert "old log" not in server.log.read_text()
    assert server.log.with_name("log.1").read_text() == "old log"


def test_an_unknown_server_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no server 'mongodb'; there are postgres, redis"):
        open_server("mongodb", tmp_path)
