"""What is committed survives the death of whoever carries it.

Real processes, killed with -9, on a database of their own: there is one active relay in a database, and here
it has to be a certain one.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from soma.base.crypto import SigningKey
from soma.base.database import tenant_transaction
from soma.base.ids import new_id
from soma.events.api import AuditTrail, EventLog
from soma.events.api import publish as publish_events
from tests.events.log_names import POSTGRES, kafka, open_log
from tests.events.samples import failed_turn
from tests.events.waiting import wait_until

pytestmark = pytest.mark.req("PERSIST-002")

ROOT = Path(__file__).resolve().parents[2]
OFTEN, NEVER = "0.2", "3600"


Publish = Callable[[int, int], None]
InLog = Callable[[], list[tuple[int, str]]]


class Node:
    """A child process; see node.py."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "tests.events.node", *arguments]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout

    def tell(self) -> None:
        self._stdin.write("go\n")
        self._stdin.flush()

    def wait_for(self, text: str) -> None:
        """Read what it prints until a line holds `text`."""
        for line in self._stdout:
            if text in line:
                return
        raise EOFError(f"it ended without saying {text!r}")

    def kill(self) -> None:
        """kill -9."""
        self._process.kill()
        self.end()

    def end(self) -> None:
        """Let it end by itself, and wait for that. A second time does nothing."""
        self._stdin.close()
        self._process.wait(60)
        self._stdout.close()


Start = Callable[..., Node]
StartRelay = Callable[..., Node]


@pytest.fixture
def log_name(request: pytest.FixtureRequest) -> str:
    """The log of all nodes: that in PostgreSQL, where the test does not ask for the one in Kafka."""
    if getattr(request, "param", POSTGRES) == POSTGRES:
        return POSTGRES
    return kafka(request.getfixturevalue("shared_server")("kafka").address, f"test-{new_id().hex}.")


@pytest.fixture
def log(own_database: str, log_name: str) -> EventLog:
    return open_log(log_name)


@pytest.fixture
def start(own_database: str, log_name: str) -> Iterator[Start]:
    """Starts a node, and sees to it that it has ended when the test has."""
    nodes: list[Node] = []

    def start(action: str, *arguments: str) -> Node:
        nodes.append(Node(own_database, log_name, action, *arguments))
        return nodes[-1]

    yield start
    for node in nodes:
        node.kill()


@pytest.fixture
def start_relay(start: Start) -> StartRelay:
    """Starts a relay, which is active when this returns."""

    def start_relay(poll: str = OFTEN) -> Node:
        node = start("relay", poll)
        node.wait_for("active=True")
        return node

    return start_relay


@pytest.fixture
def tenant() -> UUID:
    return new_id()


@pytest.fixture
def publish(own_database: str, tenant: UUID) -> Publish:
    """Commits the tenant's events with the numbers from the first to before the second, one by one. Nothing
    in this process would relay them."""

    def publish_numbers(first: int, last: int) -> None:
        for number in range(first, last):
            with tenant_transaction(tenant):
                publish_events(failed_turn(tenant, f"{number}"))

    return publish_numbers


@pytest.fixture
def in_log(log: EventLog, tenant: UUID) -> InLog:
    """Sequence and detail of each of the tenant's events in the log."""
    return lambda: [(event.sequence, event.payload["detail"]) for event in log.read(tenant)]


def numbered(amount: int) -> list[tuple[int, str]]:
    """What the log has when `amount` events came once, in order, without a gap."""
    return [(number + 1, f"{number}") for number in range(amount)]


@contextmanager
def blocked_at(superuser: psycopg.Connection, table: str) -> Iterator[None]:
    """Whoever writes to `table` waits until this is over."""
    with superuser.transaction():
        superuser.execute(f"LOCK TABLE {table} IN SHARE MODE")
        yield


def someone_waits_for(superuser: psycopg.Connection, table: str) -> bool:
    query = "SELECT FROM pg_locks WHERE relation = %s::regclass AND NOT granted"
    return superuser.execute(query, [table]).rowcount > 0


@pytest.mark.req("PERSIST-002", "AUDIT-001")
@pytest.mark.parametrize(
    ("log_name", "table"),
    [
        ("postgres", "event_log"),
        ("postgres", "audit_link"),
        ("postgres", "outbox_message"),
        ("kafka", "event_stream"),
        ("kafka", "event_place"),
        ("kafka", "audit_link"),
        ("kafka", "outbox_message"),
    ],
    indirect=["log_name"],
)
def test_a_relay_killed_in_mid_batch_loses_and_doubles_nothing(
    table: str,
    superuser: psycopg.Connection,
    tenant: UUID,
    start: Start,
    start_relay: StartRelay,
    publish: Publish,
    in_log: InLog,
    log: EventLog,
) -> None:
    """outbox_message: killed when the events are in the log already, and still in the outbox. event_log,
    event_stream: before. event_place: when Kafka has them, and the log does not. audit_link: between the log
    and the chain."""
    publish(0, 20)
    with blocked_at(superuser, table):
        killed = start("relay", OFTEN)
        wait_until(lambda: someone_waits_for(superuser, table))
        killed.kill()
    assert in_log() == []
    start_relay()
    wait_until(lambda: len(in_log()) == 20)
    assert in_log() == numbered(20)
    left = superuser.execute("SELECT count(*) FROM outbox_message WHERE tenant_id = %s", [tenant]).fetchone()
    assert left == (0,)
    *_, report = AuditTrail(log, SigningKey.from_seed(bytes(32))).verify(tenant)
    assert (report.intact, report.events) == (True, 20)


def test_a_standby_takes_over_from_a_killed_relay(
    start: Start, start_relay: StartRelay, publish: Publish, in_log: InLog
) -> None:
    first = start_relay()
    standby = start("relay", OFTEN)
    standby.wait_for("active=False")
    publish(0, 3)
    wait_until(lambda: in_log() == numbered(3))
    first.kill()
    standby.wait_for("active=True")
    publish(3, 6)
    wait_until(lambda: in_log() == numbered(6))


def test_a_commit_wakes_the_active_relay_of_another_process(
    tenant: UUID, start: Start, start_relay: StartRelay, in_log: InLog
) -> None:
    """Neither relay polls: only a notification can bring the event into the log."""
    start_relay(NEVER)
    publisher = start("publish-beside", NEVER, str(tenant))
    publisher.wait_for("ready")
    publisher.tell()
    wait_until(lambda: in_log() == numbered(1), seconds=20)


def test_polling_finds_what_no_notification_told_of(
    start_relay: StartRelay, publish: Publish, in_log: InLog
) -> None:
    start_relay(OFTEN)
    publish(0, 3)
    wait_until(lambda: in_log() == numbered(3))


def test_a_relay_that_loses_its_connection_opens_another(
    superuser: psycopg.Connection, start_relay: StartRelay, publish: Publish, in_log: InLog
) -> None:
    relay = start_relay()
    superuser.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND usename = 'soma_worker'"
    )
    relay.wait_for("active=False")
    relay.wait_for("active=True")
    publish(0, 3)
    wait_until(lambda: in_log() == numbered(3))


def test_a_log_that_takes_nothing_costs_no_event_an_attempt(
    superuser: psycopg.Connection, tenant: UUID, start_relay: StartRelay, publish: Publish, in_log: InLog
) -> None:
    superuser.execute("REVOKE INSERT ON event_log FROM soma_worker")
    relay = start_relay()
    publish(0, 3)
    relay.wait_for("permission denied")
    query = "SELECT DISTINCT attempts FROM outbox_message WHERE tenant_id = %s"
    assert superuser.execute(query, [tenant]).fetchall() == [(0,)]
    superuser.execute("GRANT INSERT ON event_log TO soma_worker")
    wait_until(lambda: in_log() == numbered(3))


@pytest.mark.parametrize("log_name", ["postgres", "kafka"], indirect=True)
def test_a_consumer_killed_at_work_resumes_from_its_offset(
    start: Start, start_relay: StartRelay, publish: Publish, in_log: InLog, tmp_path: Path
) -> None:
    """What it had finished long ago is not handled again, what it was at is, and nothing is left out."""
    name, notes = f"consumer-{new_id()}", tmp_path / "notes"
    notes.touch()

    def noted() -> list[str]:
        return notes.read_text().splitlines()

    start_relay()
    publish(0, 5)
    wait_until(lambda: len(in_log()) == 5)
    start("consume", name, str(notes), "none").end()
    before = noted()
    assert before[-5:] == ["0", "1", "2", "3", "4"]
    publish(5, 10)
    wait_until(lambda: len(in_log()) == 10)
    killed = start("consume", name, str(notes), "7")
    killed.wait_for("hanging")
    killed.kill()
    assert noted() == [*before, "5", "6"]
    start("consume", name, str(notes), "none").end()
    again = noted()[len(before) + 2 :]
    assert again in (["5", "6", "7", "8", "9"], ["6", "7", "8", "9"], ["7", "8", "9"])
