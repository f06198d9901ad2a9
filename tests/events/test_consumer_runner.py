"""Consumers get every event they ask for, in order, and no failure of one is felt by another: whatever log
the events stand in."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from uuid import UUID

import psycopg
import pytest
from django.db import connections

from soma.base.clock import now
from soma.base.database import tenant_transaction
from soma.base.errors import Unavailable
from soma.base.ids import new_id
from soma.events import consumer_offsets
from soma.events.api import (
    Consumer,
    ConsumerRunner,
    Event,
    EventLog,
    Relay,
    StoredEvent,
    publish,
)
from soma.events.models import DeadLetter, ParkedEvent
from soma.project.stack.server import Server
from tests.events.samples import PAYLOADS, failed_turn
from tests.events.waiting import wait_until

pytestmark = [pytest.mark.req("PERSIST-002"), pytest.mark.usefixtures("own_database")]

Relayed = Callable[..., list[StoredEvent]]
FAILED_TURNS = ("chat.turn_failed",)


class Ledger:
    """A handler that notes what it is given of some tenants, and fails as it is told to."""

    def __init__(self, *tenants: UUID) -> None:
        self._tenants = set(tenants)
        self.details: list[str] = []
        self.errors: dict[str, Exception] = {}

    def __call__(self, event: StoredEvent) -> None:
        if event.tenant_id not in self._tenants:
            return
        detail = event.payload["detail"]
        if detail in self.errors:
            raise self.errors[detail]
        self.details.append(detail)


@pytest.fixture
def log(either_log: EventLog) -> EventLog:
    return either_log


@pytest.fixture
def tenant() -> UUID:
    return new_id()


@pytest.fixture
def name() -> str:
    """A consumer nobody has been before."""
    return f"consumer-{new_id()}"


@contextmanager
def running(log: EventLog, *consumers: Consumer) -> Iterator[ConsumerRunner]:
    runner = ConsumerRunner(log, consumers)
    runner.start()
    try:
        yield runner
    finally:
        runner.stop()


def listening(name: str, handler: Callable[[StoredEvent], None]) -> Consumer:
    return Consumer(name=name, types=FAILED_TURNS, handler=handler)


def parked(name: str) -> list[ParkedEvent]:
    return list(ParkedEvent.objects.using("worker").filter(consumer=name).order_by("position"))


def attempts_are(name: str, expected: list[int]) -> bool:
    return [row.attempts for row in parked(name)] == expected


def make_due(superuser: psycopg.Connection, name: str) -> None:
    """Spare the test the pause before the next attempt."""
    superuser.execute("UPDATE parked_event SET next_attempt_at = now() WHERE consumer = %s", [name])


def test_a_consumer_gets_the_types_it_asks_for_in_order(
    name: str, tenant: UUID, log: EventLog, relayed: Relayed
) -> None:
    ledger = Ledger(tenant)
    session = Event(
        tenant_id=tenant, type="identity.session_minted", key="s", payload=PAYLOADS["identity.session_minted"]
    )
    with running(log, listening(name, ledger)) as runner:
        relayed(failed_turn(tenant, "a"), session, failed_turn(tenant, "b"))
        relayed(failed_turn(tenant, "c"))
        assert runner.drain(30)
        assert ledger.details == ["a", "b", "c"]


def test_what_was_recorded_before_it_existed_is_handled_too(
    name: str, tenant: UUID, log: EventLog, relayed: Relayed
) -> None:
    relayed(*[failed_turn(tenant, f"{number}") for number in range(250)])
    ledger = Ledger(tenant)
    with running(log, listening(name, ledger)) as runner:
        assert runner.drain(30)
    assert ledger.details == [f"{number}" for number in range(250)]


def test_it_goes_on_where_it_stopped(name: str, tenant: UUID, log: EventLog, relayed: Relayed) -> None:
    ledger = Ledger(tenant)
    with running(log, listening(name, ledger)) as runner:
        relayed(failed_turn(tenant, "a"))
        assert runner.drain(30)
    relayed(failed_turn(tenant, "b"))
    assert ledger.details == ["a"]
    with running(log, listening(name, ledger)) as runner:
        assert runner.drain(30)
    assert ledger.details == ["a", "b"]


def test_its_offset_is_kept(
    name: str, tenant: UUID, log: EventLog, relayed: Relayed, superuser: psycopg.Connection
) -> None:
    started = now()
    with running(log, listening(name, Ledger(tenant))) as runner:
        [event] = relayed(failed_turn(tenant, "a"))
        assert runner.drain(30)
    query = "SELECT position, saved_at FROM consumer_offset WHERE name = %s AND partition = %s"
    row = superuser.execute(query, [name, event.partition]).fetchone()
    assert row is not None
    assert row[0] >= event.position
    assert started <= row[1] <= now()


def test_it_gives_signs_of_life_before_it_has_anything_to_do(
    name: str, log: EventLog, superuser: psycopg.Connection
) -> None:
    started = now()
    runner = ConsumerRunner(log, [listening(name, Ledger())])
    assert runner.heartbeats() == {}
    with running(log, listening(name, Ledger())):
        wait_until(runner.heartbeats)
    beat = runner.heartbeats()[name]
    assert started <= beat.beat_at <= now()
    assert beat.process.endswith(f":{os.getpid()}")
    assert (beat.silent, beat.last_error) == (False, "")
    superuser.execute(
        "UPDATE consumer_heartbeat SET beat_at = now() - interval '31 seconds' WHERE name = %s", [name]
    )
    assert runner.heartbeats()[name].silent


def test_in_an_outage_it_lives_and_says_what_is_wrong(
    name: str, tenant: UUID, log: EventLog, relayed: Relayed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("soma.events.consumer_thread.BEAT_SECONDS", 0.0)
    ledger = Ledger(tenant)
    ledger.errors["bad"] = Unavailable("the brain is away")
    with running(log, listening(name, ledger)) as runner:
        relayed(failed_turn(tenant, "bad"))
        wait_until(lambda: name in runner.heartbeats())
        wait_until(lambda: "the brain is away" in runner.heartbeats()[name].last_error)
        assert not runner.heartbeats()[name].silent
        ledger.errors.clear()
        wait_until(lambda: not runner.heartbeats()[name].last_error)
    assert ledger.details == ["bad"]


def test_in_a_long_batch_it_gives_signs_of_life_and_keeps_its_offset(
    name: str, tenant: UUID, log: EventLog, relayed: Relayed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("soma.events.consumer_thread.BEAT_SECONDS", 0.0)
    first, *_ = relayed(*[failed_turn(tenant, f"{number}") for number in range(3)])
    offsets: list[int] = []
    done = threading.Event()

    def handler(event: StoredEvent) -> None:
        if event.tenant_id == tenant:
            offsets.append(consumer_offsets.load(name).get(event.partition, 0))
            if len(offsets) == 3:
                done.set()

    with running(log, listening(name, handler)) as runner:
        assert done.wait(30)
        assert name in runner.heartbeats()
    assert offsets == [offsets[0], first.position, first.position + 1]


def test_its_lag_is_told_by_partition(name: str, tenant: UUID, log: EventLog, relayed: Relayed) -> None:
    runner = ConsumerRunner(log, [listening(name, Ledger())])
    events = relayed(*[failed_turn(tenant, f"{number}") for number in range(3)])
    partition, last = events[-1].partition, events[-1].position
    [behind] = [each for each in runner.backlogs()[0].reached if each.partition == partition]
    assert (behind.offset, behind.newest, behind.lag) == (0, last, last)
    assert runner.backlogs()[0].waiting >= 3
    runner.start()
    assert runner.drain(30)
    runner.stop()
    [level] = [each for each in runner.backlogs()[0].reached if each.partition == partition]
    assert (level.offset, level.lag) == (last, 0)


def test_two_processes_with_the_same_consumer_share_its_work(
    name: str, tenant: UUID, log: EventLog, relayed: Relayed
) -> None:
    """Only one of them is active; the other takes over when that one stops."""
    ledger = Ledger(tenant)
    first, second = (ConsumerRunner(log, [listening(name, ledger)]) for _ in range(2))
    first.start()
    second.start()
    relayed(failed_turn(tenant, "a"))
    assert second.drain(30)
    assert [first.status()[0].active, second.status()[0].active].count(True) == 1
    first.stop()
    relayed(failed_turn(tenant, "b"))
    assert second.drain(30)
    second.stop()
    assert ledger.details == ["a", "b"]


def test_a_failing_event_holds_up_its_own_tenant_only(
    name: str, tenant: UUID, log: EventLog, relayed: Relayed, superuser: psycopg.Connection
) -> None:
    other = new_id()
    ledger = Ledger(tenant, other)
    ledger.errors["bad"] = ValueError("cannot be handled")
    with running(log, listening(name, ledger)) as runner:
        relayed(failed_turn(tenant, "before"), failed_turn(tenant, "bad"), failed_turn(tenant, "after"))
        relayed(failed_turn(other, "of the other"))
        wait_until(lambda: ledger.details == ["before", "of the other"])
        relayed(failed_turn(tenant, "later"))
        wait_until(lambda: len(parked(name)) == 3)
        assert not runner.drain(0)
        [bad, *behind] = parked(name)
        assert (bad.attempts, bad.last_error) == (1, "ValueError: cannot be handled")
        assert bad.next_attempt_at - now() <= timedelta(seconds=2)
        assert [row.attempts for row in behind] == [0, 0]
        ledger.errors.clear()
        make_due(superuser, name)
        assert runner.drain(30)
    assert ledger.details == ["before", "of the other", "bad", "after", "later"]
    assert parked(name) == []


def test_after_five_attempts_an_event_is_a_dead_letter_and_the_next_is_handled(
    name: str, tenant: UUID, log: EventLog, relayed: Relayed, superuser: psycopg.Connection
) -> None:
    ledger = Ledger(tenant)
    ledger.errors["bad"] = ValueError("cannot be handled")
    with running(log, listening(name, ledger)) as runner:
        bad, _after = relayed(failed_turn(tenant, "bad"), failed_turn(tenant, "after"))
        for attempt in (1, 2, 3, 4):
            wait_until(partial(attempts_are, name, [attempt, 0]))
            make_due(superuser, name)
        assert runner.drain(30)
    assert ledger.details == ["after"]
    with tenant_transaction(tenant):
        letter = DeadLetter.objects.get(source=name)
    assert (letter.event_id, letter.attempts) == (bad.event_id, 5)
    assert (letter.partition, letter.position) == (bad.partition, bad.position)
    assert letter.payload == bad.payload
    assert letter.error == "ValueError: cannot be handled"


def test_an_outage_counts_against_no_event(name: str, tenant: UUID, log: EventLog, relayed: Relayed) -> None:
    """While what a handler needs is down, nothing is lost, parked or reordered, and no attempt counts."""
    ledger, attempts = Ledger(tenant), []

    def handler(event: StoredEvent) -> None:
        if event.tenant_id == tenant and event.payload["detail"] == "b":
            attempts.append(event.event_id)
            if len(attempts) < 4:
                raise Unavailable("the store is down")
        ledger(event)

    with running(log, listening(name, handler)) as runner:
        relayed(*[failed_turn(tenant, detail) for detail in "abc"])
        wait_until(lambda: "the store is down" in runner.status()[0].last_error)
        assert parked(name) == []
        assert runner.drain(30)
        wait_until(lambda: runner.status()[0].last_error == "")
    assert ledger.details == ["a", "b", "c"]
    assert len(attempts) == 4


@pytest.mark.req("MEM-003")
def test_what_waits_for_it_is_known(
    name: str, tenant: UUID, log: EventLog, relayed: Relayed, superuser: psycopg.Connection
) -> None:
    """New events, and those that wait for their next attempt, and since when."""
    down, ledger = [True], Ledger(tenant)
    ledger.errors["bad"] = ValueError("cannot be handled")

    def handler(event: StoredEvent) -> None:
        if down and event.tenant_id == tenant:
            raise Unavailable("the store is down")
        ledger(event)

    with running(log, listening(name, handler)) as runner:
        assert runner.drain(30)
        assert [(each.name, each.waiting, each.oldest) for each in runner.backlogs()] == [(name, 0, None)]
        first, *_ = relayed(*[failed_turn(tenant, detail) for detail in ("bad", "after")])
        wait_until(lambda: runner.status()[0].last_error)
        [backlog] = runner.backlogs()
        assert (backlog.waiting, backlog.oldest) == (2, first.recorded_at)
        down.clear()
        wait_until(partial(attempts_are, name, [1, 0]))
        [backlog] = runner.backlogs()
        assert (backlog.waiting, backlog.oldest) == (2, first.recorded_at)
        ledger.errors.clear()
        make_due(superuser, name)
        assert runner.drain(30)
        [backlog] = runner.backlogs()
        assert (backlog.waiting, backlog.oldest) == (0, None)


def test_a_slow_consumer_holds_up_no_other(tenant: UUID, log: EventLog, relayed: Relayed) -> None:
    release, quick = threading.Event(), Ledger(tenant)

    def slow(event: StoredEvent) -> None:
        if event.tenant_id == tenant:
            release.wait(30)

    consumers = listening(f"slow-{tenant}", slow), listening(f"quick-{tenant}", quick)
    with running(log, *consumers) as runner:
        relayed(failed_turn(tenant, "a"))
        wait_until(lambda: quick.details == ["a"])
        assert not runner.drain(0)
        release.set()
        assert runner.drain(30)


def test_a_handler_may_publish(name: str, tenant: UUID, log: EventLog, relayed: Relayed) -> None:
    def handler(event: StoredEvent) -> None:
        if event.tenant_id == tenant and event.payload["detail"] == "cause":
            with tenant_transaction(tenant):
                publish(failed_turn(tenant, "effect"))

    with running(log, listening(name, handler)) as runner:
        relayed(failed_turn(tenant, "cause"))
        assert runner.drain(30)
        wait_until(lambda: [event.payload["detail"] for event in log.read(tenant)] == ["cause", "effect"])


def test_a_lost_connection_is_opened_again(
    name: str, tenant: UUID, log: EventLog, relayed: Relayed, superuser: psycopg.Connection
) -> None:
    ledger, backends = Ledger(tenant), []

    def handler(event: StoredEvent) -> None:
        if event.tenant_id == tenant:
            backends.append(connections["worker"].connection.info.backend_pid)
        ledger(event)

    with running(log, listening(name, handler)) as runner:
        relayed(failed_turn(tenant, "a"))
        assert runner.drain(30)
        superuser.execute("SELECT pg_terminate_backend(%s)", [backends[0]])
        relayed(failed_turn(tenant, "b"))
        assert runner.drain(30)
    assert ledger.details == ["a", "b"]
    assert backends[0] != backends[1]


class TestPartitions:
    """What there is to see where a log has more than one."""

    @pytest.fixture
    def log(self, kafka_log: EventLog) -> EventLog:
        return kafka_log

    def test_every_tenant_of_every_partition_is_served_in_order(
        self, name: str, log: EventLog, relay: Relay, commit: Callable[..., None]
    ) -> None:
        tenants = [new_id() for _ in range(30)]
        order: dict[UUID, list[str]] = {tenant: [] for tenant in tenants}

        def handler(event: StoredEvent) -> None:
            if event.tenant_id in order:
                order[event.tenant_id].append(event.payload["detail"])

        with running(log, listening(name, handler)) as runner:
            for number in range(10):
                for tenant in tenants:
                    commit(failed_turn(tenant, f"{number}"))
            assert relay.drain(30)
            assert runner.drain(30)
        assert order == {tenant: [f"{number}" for number in range(10)] for tenant in tenants}
        assert len(set(log.partitions(FAILED_TURNS)) - {"log"}) == 6
        assert consumer_offsets.load(name) == log.partitions(FAILED_TURNS)

    def test_a_failing_event_holds_up_nothing_of_another_topic(
        self, name: str, tenant: UUID, log: EventLog, relayed: Relayed, superuser: psycopg.Connection
    ) -> None:
        handled: list[str] = []
        failing = [True]

        def handler(event: StoredEvent) -> None:
            if event.tenant_id != tenant:
                return
            if event.type == "chat.turn_failed" and failing[0]:
                raise ValueError("cannot be handled")
            handled.append(event.type)

        tool = Event(tenant_id=tenant, type="tool.executed", key="t", payload=PAYLOADS["tool.executed"])
        both = Consumer(name=name, types=("chat.turn_failed", "tool.executed"), handler=handler)
        with running(log, both) as runner:
            relayed(failed_turn(tenant, "bad"), tool)
            wait_until(lambda: handled == ["tool.executed"])
            wait_until(lambda: attempts_are(name, [1]))
            failing[0] = False
            make_due(superuser, name)
            assert runner.drain(30)
        assert handled == ["tool.executed", "chat.turn_failed"]

    def test_a_parked_event_that_the_log_no_longer_keeps_is_let_go(
        self,
        name: str,
        tenant: UUID,
        log: EventLog,
        relayed: Relayed,
        superuser: psycopg.Connection,
        shared_server: Callable[[str], Server],
    ) -> None:
        from confluent_kafka import TopicPartition
        from confluent_kafka.admin import AdminClient

        ledger = Ledger(tenant)
        ledger.errors["bad"] = ValueError("cannot be handled")
        with running(log, listening(name, ledger)) as runner:
            [bad] = relayed(failed_turn(tenant, "bad"))
            wait_until(partial(attempts_are, name, [1]))
            topic, _, number = bad.partition.rpartition("/")
            admin = AdminClient({"bootstrap.servers": shared_server("kafka").address})
            for deleted in admin.delete_records([TopicPartition(topic, int(number), bad.position)]).values():
                deleted.result()
            make_due(superuser, name)
            relayed(failed_turn(tenant, "later"))
            assert runner.drain(30)
        assert ledger.details == ["later"]
        assert parked(name) == []
