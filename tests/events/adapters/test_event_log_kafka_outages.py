"""The event log in Kafka while its server is stopped, killed or standing still.

The server is this module's own; each test leaves it running.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from confluent_kafka import Consumer, TopicPartition
from django.db import connections

from soma.base.database import tenant_transaction
from soma.base.errors import Unavailable
from soma.base.ids import new_id
from soma.events import consumer_offsets
from soma.events.adapters.event_log_kafka import KafkaEventLog
from soma.events.adapters.kafka_record import event_id_of
from soma.events.adapters.kafka_settings import DELIVERY_SECONDS, FETCH_SECONDS, REQUEST_SECONDS
from soma.events.adapters.kafka_writer import GRACE_SECONDS
from soma.events.api import Consumer as EventConsumer
from soma.events.api import (
    ConsumerRunner,
    Event,
    EventLogUnavailable,
    PostgresEventLog,
    Relay,
    StoredEvent,
    publish,
)
from soma.events.models import OutboxMessage
from soma.project.stack.server import Server
from soma.project.stack.servers import open_server
from tests.events.logs import TURNS, details, record
from tests.events.samples import failed_turn
from tests.events.waiting import wait_until
from tests.servers import do_without
from tests.standing_still import standing_still

pytestmark = [
    pytest.mark.req("PERSIST-002"),
    pytest.mark.usefixtures("own_database"),
]

SLACK_SECONDS = 1.5
"""What two busy cores may add."""
LONGEST_SECONDS = max(REQUEST_SECONDS, DELIVERY_SECONDS + GRACE_SECONDS, FETCH_SECONDS) + SLACK_SECONDS
NOBODY = "127.0.0.1:9"
"""Where no server listens."""

COMMIT_SECONDS = 1.0
"""Far below the time-out that a relay sits out."""


@pytest.fixture(scope="module")
def broker() -> Iterator[Server]:
    """A server that these tests may stop, kill and start again."""
    directory = Path(os.environ["SOMA_TEST_HOME"], "servers", "own", new_id().hex, "kafka")
    server = open_server("kafka", directory)
    try:
        server.start()
    except Unavailable as error:
        do_without("kafka", error.detail)
    yield server
    server.kill()


@pytest.fixture(scope="module")
def log(own_database: str, broker: Server) -> Iterator[KafkaEventLog]:
    """A log that has been at work."""
    log = KafkaEventLog(broker.address, partitions=3)
    again(lambda: record(log, failed_turn(new_id(), "warm")))
    yield log
    log.close()


@pytest.fixture
def tenant() -> UUID:
    return new_id()


def all_unavailable(*calls: Callable[[], object], seconds: float) -> None:
    """Call each on a thread of its own: each must find the log unavailable in time."""

    def call(number: int) -> float:
        begun = time.monotonic()
        with pytest.raises(EventLogUnavailable):
            calls[number]()
        connections.close_all()
        return time.monotonic() - begun

    with ThreadPoolExecutor(len(calls)) as pool:
        assert all(spent < seconds for spent in pool.map(call, range(len(calls))))


def again(call: Callable[[], None]) -> None:
    """Call until the log is there, as the relay does: a server answers before it can take a record."""

    def done() -> bool:
        try:
            call()
        except EventLogUnavailable:
            return False
        return True

    wait_until(done)


def commit(*events: Event) -> None:
    """Publish, which must not have to wait for whoever relays."""
    begun = time.monotonic()
    with tenant_transaction(events[0].tenant_id):
        publish(*events)
    assert time.monotonic() - begun < COMMIT_SECONDS


@contextmanager
def running(*parts: Relay | ConsumerRunner) -> Iterator[None]:
    for part in parts:
        part.start()
    try:
        yield
    finally:
        for part in parts:
            part.stop()


def appending(superuser: psycopg.Connection) -> bool:
    """Whether a relay's transaction waits for something that is not the database."""
    query = """
        SELECT FROM pg_stat_activity WHERE datname = current_database() AND usename = 'soma_worker'
           AND state = 'idle in transaction' AND now() - state_change > interval '0.2 s'
    """
    return superuser.execute(query).rowcount > 0


def test_a_server_that_stands_still(log: KafkaEventLog, broker: Server, tenant: UUID) -> None:
    record(log, failed_turn(tenant, "before"))
    [before] = log.read(tenant)
    lost = failed_turn(tenant, "not acknowledged")
    with standing_still(broker):
        all_unavailable(
            lambda: record(log, lost),
            lambda: log.read(tenant),
            lambda: log.following(before.partition, 0, types=[TURNS], limit=1000),
            seconds=LONGEST_SECONDS,
        )
    # The server now comes to what was sent to it meanwhile: that is not in the log, and never will be.
    again(lambda: record(log, failed_turn(tenant, "after"), lost))
    assert details(log.read(tenant)) == ["before", "after", "not acknowledged"]
    assert [event.sequence for event in log.read(tenant)] == [1, 2, 3]


def test_nobody_who_publishes_waits_for_a_server_that_stands_still(
    log: KafkaEventLog, broker: Server, tenant: UUID, superuser: psycopg.Connection
) -> None:
    relay = Relay(log)
    with running(relay):
        commit(failed_turn(tenant, "0"))
        assert relay.drain(30)
        with standing_still(broker):
            commit(failed_turn(tenant, "1"))
            wait_until(lambda: appending(superuser))
            for number in range(2, 30):
                commit(failed_turn(tenant, f"{number}"))
            assert appending(superuser), "all of this happened during one attempt"
            wait_until(lambda: "EventLogUnavailable" in relay.status().last_error)
        assert relay.drain(30)
    assert details(log.read(tenant)) == [f"{number}" for number in range(30)]


def test_a_server_that_is_gone_and_comes_back(log: KafkaEventLog, broker: Server, tenant: UUID) -> None:
    record(log, failed_turn(tenant, "before"))
    [before] = log.read(tenant)
    broker.kill()
    stranger = KafkaEventLog(broker.address)
    all_unavailable(
        lambda: record(log, failed_turn(tenant, "nowhere to go")),
        lambda: record(stranger, failed_turn(new_id(), "from one that never reached it")),
        lambda: log.read(tenant),
        lambda: stranger.read(tenant),
        seconds=LONGEST_SECONDS,
    )
    assert log.partitions([TURNS])[before.partition] == before.position, "this much is known without Kafka"
    broker.start()
    again(lambda: record(log, failed_turn(tenant, "after")))
    assert details(log.read(tenant)) == details(stranger.read(tenant)) == ["before", "after"]
    stranger.close()


class Ledger:
    """A handler that notes the details of some tenants' events."""

    def __init__(self, tenants: list[UUID]) -> None:
        self.details: dict[UUID, list[str]] = {tenant: [] for tenant in tenants}

    def __call__(self, event: StoredEvent) -> None:
        if event.tenant_id in self.details:
            self.details[event.tenant_id].append(event.payload["detail"])


def in_outbox() -> int:
    return OutboxMessage.objects.using("worker").count()


def test_two_thousand_events_while_the_server_is_killed(log: KafkaEventLog, broker: Server) -> None:
    """Each is in the log once, in its tenant's order, and handled once."""
    tenants = [new_id() for _ in range(5)]
    ledger, name = Ledger(tenants), f"consumer-{new_id()}"
    killed, relay = threading.Event(), Relay(log, batch_size=20)
    consumers = ConsumerRunner(log, [EventConsumer(name=name, types=(TURNS,), handler=ledger)])

    def write(tenant: UUID) -> None:
        for number in range(0, 400, 4):
            commit(*[failed_turn(tenant, f"{number + part}") for part in range(4)])
            if number == 100:
                assert killed.wait(60)
        connections.close_all()

    writers = [threading.Thread(target=write, args=(tenant,)) for tenant in tenants]
    with running(relay, consumers):
        for writer in writers:
            writer.start()
        wait_until(lambda: relay.status().relayed >= 100)
        broker.kill()
        killed.set()
        for writer in writers:
            writer.join()
        wait_until(lambda: "EventLogUnavailable" in relay.status().last_error)
        assert in_outbox() >= 1400
        broker.start()
        assert relay.drain(60)
        assert consumers.drain(60)

    expected = [f"{number}" for number in range(400)]
    assert ledger.details == dict.fromkeys(tenants, expected)
    for tenant in tenants:
        events = log.read(tenant)
        assert details(events) == expected
        assert [event.sequence for event in events] == list(range(1, 401))
        assert len({event.event_id for event in events}) == 400
    assert consumer_offsets.load(name) == log.partitions([TURNS])
    assert in_outbox() == 0
    ids = {event.event_id for tenant in tenants for event in log.read(tenant)}
    assert ids <= set(seen_by_others(broker.address, log.partitions([TURNS])))


def seen_by_others(servers: str, ends: dict[str, int]) -> Iterator[UUID]:
    """The event_id of each record of the topic, as somebody reads it who knows nothing of us."""
    reader = Consumer({"bootstrap.servers": servers, "group.id": "others", "enable.auto.commit": False})
    for partition, end in ends.items():
        topic, _, number = partition.rpartition("/")
        reader.assign([TopicPartition(topic, int(number), 0)])
        for message in reader.consume(end, timeout=30):
            yield UUID(event_id_of(message))
    reader.close()


def test_who_is_impatient_waits_neither_for_a_log_that_takes_nothing_nor_for_a_relay_that_is_gone(
    tenant: UUID,
) -> None:
    """An hour is far more than a test may take."""
    failing = Relay(KafkaEventLog(NOBODY))
    with tenant_transaction(tenant):
        publish(failed_turn(tenant, "owed"))
    assert not failing.drain(3600, patient=False)
    failing.start()
    assert not failing.drain(3600, patient=False)
    assert "EventLogUnavailable" in failing.status().last_error
    failing.stop()
    delivering = Relay(PostgresEventLog())
    delivering.start()
    assert delivering.drain(30, patient=False)
    delivering.stop()
