"""Old events leave the log, and nothing else does; what is left can be read, followed and counted on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from uuid import UUID

import psycopg
import pytest
from django.db import DatabaseError, connections

from soma.base.clock import now
from soma.base.crypto import SigningKey
from soma.base.database import RETENTION, tenant_transaction, worker_transaction
from soma.base.errors import Unavailable
from soma.base.ids import new_id
from soma.events.adapters.event_log_postgres import PARTITION
from soma.events.api import (
    AuditSigner,
    AuditTrail,
    Consumer,
    ConsumerRunner,
    Event,
    EventLog,
    PostgresEventLog,
    Retention,
    RetryPolicy,
    StoredEvent,
    dead_letter,
    dead_letters,
    retry_dead_letter,
)
from soma.events.audit.chain import AuditChain
from tests.events.samples import failed_turn, pending
from tests.events.waiting import wait_until

pytestmark = [pytest.mark.req("REPLAY-002"), pytest.mark.usefixtures("own_database")]

DAYS = 30
KEY = SigningKey.from_seed(bytes(32))
SIGNER = AuditSigner(KEY)


@pytest.fixture
def log(either_log: EventLog) -> EventLog:
    return either_log


@pytest.fixture
def tenant() -> UUID:
    return new_id()


@contextmanager
def unguarded(superuser: psycopg.Connection) -> Iterator[tuple[str, str]]:
    """The tables of the logs without what makes them refuse changes."""
    tables = ("event_log", "event_place")
    for table in tables:
        superuser.execute(f"ALTER TABLE {table} DISABLE TRIGGER append_only")
    yield tables
    for table in tables:
        superuser.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER append_only")


@pytest.fixture(autouse=True)
def _empty(superuser: psycopg.Connection, own_database: str) -> None:
    """What leaves the log depends on all that is in it."""
    with unguarded(superuser) as tables:
        for table in tables:
            superuser.execute(f"TRUNCATE {table}")


@pytest.fixture
def record(log: EventLog, monkeypatch: pytest.MonkeyPatch) -> "Record":
    """Records events so long ago."""

    def record(ago: timedelta, *events: Event, into: EventLog | AuditChain = log) -> None:
        moment = now() - ago
        with monkeypatch.context() as patch, worker_transaction():
            for module in ("event_log_postgres", "event_log_kafka"):
                patch.setattr(f"soma.events.adapters.{module}.now", lambda: moment)
            into.append([pending(event) for event in events])

    return record


Record = Callable[..., None]
OLD = timedelta(days=DAYS, minutes=1)
NOT_YET_OLD = timedelta(days=DAYS) - timedelta(minutes=10)


@contextmanager
def running(runner: ConsumerRunner) -> Iterator[None]:
    runner.start()
    try:
        yield
    finally:
        runner.stop()


def retention(log: EventLog, *consumers: Consumer, days: int = DAYS) -> Retention:
    return Retention(log, ConsumerRunner(log, consumers), signer=SIGNER, days=days)


def sequences(log: EventLog, tenant: UUID) -> list[int]:
    return [event.sequence for event in log.read(tenant)]


def test_what_is_older_leaves_and_the_rest_counts_on(log: EventLog, tenant: UUID, record: Record) -> None:
    other = new_id()
    record(OLD, failed_turn(tenant, "1"), failed_turn(tenant, "2"), failed_turn(other, "of the other"))
    record(NOT_YET_OLD, failed_turn(tenant, "3"))
    assert retention(log).sweep().events == 3
    assert sequences(log, tenant) == [3]
    assert sequences(log, other) == []
    record(timedelta(0), failed_turn(tenant, "4"), failed_turn(other, "later"))
    assert sequences(log, tenant) == [3, 4]
    assert sequences(log, other) == [2]
    assert retention(log).sweep().events == 0


def test_more_than_a_batch_leaves(
    log: EventLog, tenant: UUID, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("soma.events.retention.BATCH_SIZE", 3)
    record(OLD, *[failed_turn(tenant, f"{number}") for number in range(7)])
    record(timedelta(0), failed_turn(tenant, "new"))
    assert log.expire(now() - timedelta(days=DAYS), limit=2) == 2
    assert sequences(log, tenant) == [3, 4, 5, 6, 7, 8]
    assert retention(log).sweep().events == 5
    assert sequences(log, tenant) == [8]


def test_what_is_younger_than_a_day_stays_whatever_is_asked_for(
    log: EventLog, tenant: UUID, record: Record
) -> None:
    record(timedelta(days=1, minutes=1), failed_turn(tenant, "old"))
    record(timedelta(hours=23), failed_turn(tenant, "young"))
    log.expire(now() + timedelta(days=1), limit=100)
    assert sequences(log, tenant) == [2]


def test_what_a_consumer_has_still_to_handle_stays(log: EventLog, tenant: UUID, record: Record) -> None:
    def down(event: StoredEvent) -> None:
        if "waits" in event.payload["detail"]:
            raise Unavailable("not now")

    waiting = Consumer(name=f"consumer-{new_id()}", types=("chat.turn_failed",), handler=down)
    runner = ConsumerRunner(log, [waiting])
    record(OLD + timedelta(hours=1), failed_turn(tenant, "handled"))
    record(OLD, failed_turn(tenant, "waits"), failed_turn(tenant, "waits too"))
    with running(runner):
        wait_until(lambda: runner.status()[0].last_error and runner.backlogs()[0].waiting == 2)
    assert Retention(log, runner, signer=SIGNER, days=DAYS).sweep().events == 1
    assert sequences(log, tenant) == [2, 3]


def test_after_it_a_new_consumer_begins_at_what_is_kept(log: EventLog, tenant: UUID, record: Record) -> None:
    record(OLD, *[failed_turn(tenant, f"{number}") for number in range(3)])
    record(timedelta(0), failed_turn(tenant, "new"))
    retention(log).sweep()
    fussy = Fussy(log, tenant)
    fussy.refusing = False
    with running(fussy.runner):
        assert fussy.runner.drain(30)
    assert [event.sequence for event in fussy.handled] == [4]


class Fussy:
    """A consumer that refuses everything of a tenant until it is told not to."""

    def __init__(self, log: EventLog, tenant: UUID) -> None:
        self.tenant, self.refusing, self.handled = tenant, True, list[StoredEvent]()
        consumer = Consumer(name=f"consumer-{new_id()}", types=("chat.turn_failed",), handler=self)
        self.runner = ConsumerRunner(log, [consumer], retry=RetryPolicy(attempts=2, unit=timedelta(0)))

    def __call__(self, event: StoredEvent) -> None:
        if event.tenant_id == self.tenant:
            if self.refusing:
                raise ValueError("cannot be handled")
            self.handled.append(event)


@pytest.mark.req("MEM-003")
def test_a_letter_outlives_its_event_and_is_handled_from_its_copy(
    log: EventLog, tenant: UUID, record: Record
) -> None:
    fussy = Fussy(log, tenant)
    with running(fussy.runner):
        record(OLD, failed_turn(tenant, "bad"))
        [event] = log.read(tenant)
        wait_until(partial(dead_letters, tenant))
        assert fussy.runner.drain(30)
        assert Retention(log, fussy.runner, signer=SIGNER, days=DAYS).sweep().events == 1
        assert sequences(log, tenant) == []
        [letter] = dead_letters(tenant)
        fussy.refusing = False
        retry_dead_letter(tenant, letter.id)
        wait_until(lambda: fussy.handled)
    assert fussy.handled == [event]


@pytest.mark.req("MEM-003")
def test_settled_letters_go_and_others_stay(
    log: EventLog, tenant: UUID, record: Record, superuser: psycopg.Connection
) -> None:
    fussy = Fussy(log, tenant)
    with running(fussy.runner):
        record(timedelta(0), failed_turn(tenant, "a"), failed_turn(tenant, "b"))
        wait_until(lambda: len(dead_letters(tenant)) == 2)
        fussy.refusing = False
        settled, open_ = dead_letters(tenant)
        retry_dead_letter(tenant, settled.id)
        wait_until(lambda: fussy.handled)
    longest = "UPDATE dead_letter SET {} = {} - interval '31 days' WHERE tenant_id = %s"
    superuser.execute(longest.format("failed_at", "failed_at").encode(), [tenant])
    assert retention(log).sweep().letters == 0
    superuser.execute(longest.format("settled_at", "settled_at").encode(), [tenant])
    assert retention(log).sweep().letters == 1
    assert [letter.id for letter in dead_letters(tenant)] == [open_.id]
    assert dead_letter(tenant, open_.id).settled_at is None


def test_the_thread_sweeps_when_it_starts(log: EventLog, tenant: UUID, record: Record) -> None:
    record(timedelta(days=2), failed_turn(tenant, "old"))
    record(timedelta(0), failed_turn(tenant, "new"))
    worker = retention(log, days=1)
    worker.start()
    wait_until(lambda: sequences(log, tenant) == [2])
    worker.stop()


@pytest.mark.parametrize("table", ["event_log", "event_place"])
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE {table} SET key = ''",
        "TRUNCATE {table}",
        "INSERT INTO {table} SELECT * FROM {table}",
        "DELETE FROM dead_letter",
        "DELETE FROM outbox_message",
    ],
)
def test_the_role_can_do_nothing_else(table: str, change: str) -> None:
    with pytest.raises(DatabaseError, match="permission denied"):
        connections[RETENTION].cursor().execute(change.replace("{table}", table))


def test_the_role_cannot_reach_what_is_young_by_pretending_to_be_its_tenant(
    log: EventLog, tenant: UUID, record: Record
) -> None:
    record(timedelta(0), failed_turn(tenant, "young"))
    with tenant_transaction(tenant, using=RETENTION), connections[RETENTION].cursor() as cursor:
        for table in ("event_log", "event_place"):
            cursor.execute(f"DELETE FROM {table}")
            assert cursor.rowcount == 0
    assert sequences(log, tenant) == [1]


def test_the_earlier_log_of_an_installation_that_turned_to_kafka_expires_too(
    kafka_log: EventLog, tenant: UUID, record: Record
) -> None:
    record(2 * OLD, failed_turn(tenant, "1"), failed_turn(tenant, "2"), into=PostgresEventLog())
    record(OLD, failed_turn(tenant, "3"), into=kafka_log)
    record(timedelta(0), failed_turn(tenant, "4"), into=kafka_log)
    assert sequences(kafka_log, tenant) == [1, 2, 3, 4]
    retention(kafka_log).sweep()
    assert sequences(kafka_log, tenant) == [4]
    assert kafka_log.read(tenant)[0].partition != PARTITION


@pytest.mark.req("AUDIT-001")
def test_what_is_to_leave_is_signed_before_it_does(
    log: EventLog, tenant: UUID, record: Record, superuser: psycopg.Connection
) -> None:
    """A verification tells it from what somebody has cut off, old as that may be."""
    chain, trail = AuditChain(log), AuditTrail(log, KEY)
    record(OLD + timedelta(days=1), failed_turn(tenant, "1"), failed_turn(tenant, "2"), into=chain)
    assert retention(log).sweep().events == 2
    record(OLD, failed_turn(tenant, "3"), into=chain)
    record(timedelta(0), failed_turn(tenant, "4"), into=chain)
    *_, report = trail.verify(tenant)
    assert (report.intact, report.expired, report.events) == (True, 2, 2), report.broken
    with unguarded(superuser) as tables:
        for table in tables:
            superuser.execute(f"DELETE FROM {table} WHERE sequence = 3")
    *_, report = trail.verify(tenant)
    assert report.broken is not None
    assert (report.broken.sequence, report.broken.fault) == (3, "removed")
