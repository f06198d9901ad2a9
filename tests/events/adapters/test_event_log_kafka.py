"""The event log in Kafka: the contract, and what holds of Kafka alone.

What becomes of it when its server is away is tested in test_event_log_kafka_outages.py.
"""

import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic  # type: ignore[attr-defined]
from django.db import connections

from soma.base.canonical import json_value
from soma.base.clock import iso
from soma.base.ids import new_id
from soma.events.adapters.event_log_kafka import KafkaEventLog
from soma.events.adapters.kafka_readers import SKIPPED
from soma.events.api import EventLogUnavailable, EventRefused, PostgresEventLog, StoredEvent
from soma.project.stack.server import Server
from tests.events.contract_event_log import EventLogContract
from tests.events.logs import (
    TURNS,
    TYPES,
    append,
    details,
    executed,
    followed,
    record,
    roll_back,
)
from tests.events.samples import failed_turn, pending

pytestmark = [pytest.mark.req("PERSIST-002"), pytest.mark.usefixtures("own_database")]

MakeLog = Callable[..., KafkaEventLog]


@pytest.fixture(scope="module")
def servers(shared_server: Callable[[str], Server]) -> str:
    """Where Kafka is."""
    return shared_server("kafka").address


@pytest.fixture(scope="module")
def make_log(own_database: str, servers: str) -> Iterator[MakeLog]:
    """Makes a log with topics of its own, by default one partition each."""
    made: list[KafkaEventLog] = []

    def make_log(*, prefix: str | None = None, partitions: int = 1, **more: Any) -> KafkaEventLog:
        prefix = fresh_prefix() if prefix is None else prefix
        made.append(KafkaEventLog(servers, prefix=prefix, partitions=partitions, **more))
        return made[-1]

    yield make_log
    for log in made:
        log.close()


@pytest.fixture(scope="module")
def log(make_log: MakeLog) -> KafkaEventLog:
    """The log of the contract."""
    log = make_log(partitions=3)
    # A server that has just started has its coordinator still to load; the relay would try again too.
    for attempt in range(5):
        try:
            record(log, failed_turn(new_id(), "warm"), executed(new_id(), "warm"))
        except EventLogUnavailable:
            assert attempt < 4
        else:
            break
    return log


@pytest.fixture(scope="module")
def admin(servers: str) -> AdminClient:
    return AdminClient({"bootstrap.servers": servers})


@pytest.fixture
def tenant() -> UUID:
    return new_id()


class TestKafka(EventLogContract):
    """The contract."""


def fresh_prefix() -> str:
    return f"test-{new_id().hex}."


def done(futures: Mapping[Any, Future[Any]]) -> None:
    """Wait for what the administrator's client was asked for."""
    for future in futures.values():
        future.result()


def raw(servers: str, topic: str, amount: int, *, partition: int = 0) -> list[Message]:
    """The first records of a partition as anybody reads them."""
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "test", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, partition, 0)])
    messages = consumer.consume(amount, timeout=30)
    consumer.close()
    assert all(message.error() is None for message in messages)
    return messages


def inject(servers: str, topic: str, **record: Any) -> None:
    """Put a record into a topic that the log is not told of."""
    producer = Producer({"bootstrap.servers": servers})
    producer.produce(topic, partition=0, **record)
    assert producer.flush(30) == 0


@pytest.mark.parametrize(("days", "more"), [(30, {}), (90, {"retention_days": 90})])
def test_topics_are_made_at_first_use_to_be_kept_thirty_days_or_as_told(
    make_log: MakeLog, admin: AdminClient, tenant: UUID, days: int, more: dict[str, int]
) -> None:
    prefix = fresh_prefix()
    record(make_log(prefix=prefix, partitions=6, **more), failed_turn(tenant, "a"))
    topic = f"{prefix}chat.events"
    assert len(admin.list_topics(timeout=30).topics[topic].partitions) == 6
    [asked] = admin.describe_configs([ConfigResource(ConfigResource.Type.TOPIC, topic)]).values()
    config = {name: entry.value for name, entry in asked.result().items()}
    assert int(config["retention.ms"]) == timedelta(days=days) / timedelta(milliseconds=1)
    assert config["cleanup.policy"] == "delete"
    assert int(config["max.message.bytes"]) == 2 * 1024 * 1024


def test_a_topic_that_is_there_stays_as_its_operator_made_it(
    make_log: MakeLog, admin: AdminClient, tenant: UUID
) -> None:
    prefix = fresh_prefix()
    topic = f"{prefix}chat.events"
    done(admin.create_topics([NewTopic(topic, 2, 1, config={"max.message.bytes": "20000"})]))
    log = make_log(prefix=prefix, partitions=6)
    record(log, failed_turn(tenant, "a"))
    assert len(admin.list_topics(timeout=30).topics[topic].partitions) == 2
    # Noise: it is the compressed size that counts.
    large = failed_turn(tenant, random.Random(3).randbytes(30_000).hex())
    with pytest.raises(EventRefused, match="MSG_SIZE_TOO_LARGE"):
        record(log, failed_turn(tenant, "goes down with it"), large)
    record(log, failed_turn(tenant, "b"))
    assert details(log.read(tenant)) == ["a", "b"]
    assert [event.sequence for event in log.read(tenant)] == [1, 2]


def test_a_name_that_no_topic_can_have_is_refused(make_log: MakeLog, tenant: UUID) -> None:
    log = make_log()
    for name in ("no topic", "t" * 250, "Grüße", ""):
        with pytest.raises(EventRefused):
            append(log, [replace(pending(failed_turn(tenant, "a")), topic=f"{name} ")])
    record(log, failed_turn(tenant, "b"))
    assert details(log.read(tenant)) == ["b"]


def test_a_record_says_all_of_its_event(make_log: MakeLog, servers: str, tenant: UUID) -> None:
    """What others may read with tools of their own."""
    prefix = fresh_prefix()
    log = make_log(prefix=prefix)
    event = replace(failed_turn(tenant, "Grüße", key="k 🧠"), trace_id="trace")
    record(log, event)
    [stored] = log.read(tenant)
    [message] = raw(servers, f"{prefix}chat.events", 1)
    assert message.key() == str(tenant).encode()
    assert json_value(message.value() or b"") == event.payload
    headers: list[tuple[str, bytes]] = message.headers()  # type: ignore[assignment] # it gives lists only
    assert {name: value.decode() for name, value in headers} == {
        "event_id": str(event.event_id),
        "sequence": "1",
        "type": "chat.turn_failed",
        "version": "1",
        "key": "k 🧠",
        "trace_id": "trace",
        "occurred_at": iso(event.occurred_at),
        "recorded_at": iso(stored.recorded_at),
    }
    assert (stored.partition, stored.position) == (f"{prefix}chat.events/0", (message.offset() or 0) + 1)


def test_what_is_in_the_topic_but_not_in_the_log_is_passed_over(
    make_log: MakeLog, servers: str, tenant: UUID
) -> None:
    """Copies that a crash has left, and what somebody else has sent."""
    prefix = fresh_prefix()
    log, topic = make_log(prefix=prefix), f"{prefix}chat.events"
    record(log, failed_turn(tenant, "a"))
    roll_back(log, failed_turn(tenant, "left behind"))
    inject(servers, topic, value=b"not even JSON", key=b"x")
    [first] = raw(servers, topic, 1)
    inject(servers, topic, value=first.value(), key=first.key(), headers=first.headers())
    record(log, failed_turn(tenant, "b"))
    inject(servers, topic, value=None)
    assert len(raw(servers, topic, 6)) == 6
    assert details(log.read(tenant)) == details(followed(log, tenant)) == ["a", "b"]
    assert [event.position for event in log.read(tenant)] == [1, 5]
    assert log.partitions([TURNS]) == {f"{topic}/0": 5}


def test_a_tenant_keeps_to_one_partition_and_tenants_spread(make_log: MakeLog) -> None:
    log, tenants = make_log(partitions=6), [new_id() for _ in range(40)]
    for _ in range(3):
        record(log, *[failed_turn(tenant, f"{tenant}") for tenant in tenants])
    partitions = {tenant: {event.partition for event in log.read(tenant)} for tenant in tenants}
    assert all(len(names) == 1 for names in partitions.values())
    assert len(set().union(*partitions.values())) == len(log.partitions([TURNS])) == 6


def test_places_that_are_far_apart(make_log: MakeLog, tenant: UUID) -> None:
    log, other = make_log(), new_id()
    record(log, failed_turn(tenant, "first"))
    record(log, *[failed_turn(other, f"{number}") for number in range(2 * SKIPPED + 1)])
    record(log, failed_turn(tenant, "last"), failed_turn(tenant, "very last"))
    assert details(log.read(tenant)) == ["first", "last", "very last"]
    assert len(log.read(other, limit=10_000)) == 2 * SKIPPED + 1


def expire(admin: AdminClient, topic: str, before: int) -> None:
    """What retention does when its time has come."""
    done(admin.delete_records([TopicPartition(topic, 0, before)]))


@pytest.mark.req("REPLAY-002")
def test_what_kafka_no_longer_keeps_is_missing_from_the_beginning(
    make_log: MakeLog, admin: AdminClient, tenant: UUID
) -> None:
    prefix = fresh_prefix()
    log, topic = make_log(prefix=prefix), f"{prefix}chat.events"
    record(log, *[failed_turn(tenant, f"{number}", key=f"{number % 2}") for number in range(10)])
    record(log, executed(tenant, "kept"))
    expire(admin, topic, 7)
    for reader in (log, make_log(prefix=prefix)):
        assert details(reader.read(tenant)[:-1]) == ["7", "8", "9"]
        assert [event.sequence for event in reader.read(tenant)] == [8, 9, 10, 11]
        assert details(reader.read(tenant, limit=2)) == ["7", "8"], "whole pages of it are gone"
        assert details(reader.read(tenant, key="0")) == ["8"]
        assert details(followed(reader, tenant)) == ["7", "8", "9"]
        ahead = reader.following(f"{topic}/0", 0, types=[TURNS], limit=2)
        assert (details(ahead.events), ahead.position) == (["7", "8"], 9)
    expire(admin, topic, 10)
    assert [event.sequence for event in log.read(tenant)] == [11]
    assert log.read(tenant, key="0") == followed(log, tenant) == []
    record(log, failed_turn(tenant, "new"))
    assert details(followed(log, tenant)) == ["new"]


def test_a_topic_that_lost_its_records_is_no_log_to_go_on_with(
    make_log: MakeLog, admin: AdminClient, servers: str, tenant: UUID
) -> None:
    """Somebody deleted a topic, or brokers came back without their disks: nobody is given something else
    instead, and nothing more is recorded until a person has looked at it."""
    prefix = fresh_prefix()
    topic = f"{prefix}chat.events"
    record(make_log(prefix=prefix), failed_turn(tenant, "a"), failed_turn(tenant, "b"))
    done(admin.delete_topics([topic]))
    done(admin.create_topics([NewTopic(topic, 1, 1)]))
    log = make_log(prefix=prefix)
    with pytest.raises(EventLogUnavailable, match=f"{topic}/0 has lost its records from 0 on"):
        log.read(tenant, after=1)
    with pytest.raises(EventLogUnavailable, match="a position away a second time"):
        record(log, failed_turn(tenant, "c"))
    inject(servers, topic, value=b"{}", key=b"x")
    with pytest.raises(EventLogUnavailable, match="another record"):
        log.following(f"{topic}/0", 0, types=[TURNS], limit=10)


def test_what_was_recorded_in_postgres_before_stays_in_the_log(make_log: MakeLog, tenant: UUID) -> None:
    record(PostgresEventLog(), *[failed_turn(tenant, f"{number}") for number in range(3)])
    log = make_log()
    record(log, *[failed_turn(tenant, f"{number}") for number in range(3, 6)])
    entries = log.read(tenant)
    assert details(entries) == [f"{number}" for number in range(6)]
    assert [entry.sequence for entry in entries] == [1, 2, 3, 4, 5, 6]
    assert log.read(tenant, after=1, limit=3) == entries[1:4]
    assert followed(log, tenant) == entries
    assert next(iter(log.partitions([TURNS]))) == entries[0].partition == "log"


def test_threads_read_at_once(make_log: MakeLog) -> None:
    log, tenants = make_log(partitions=3), [new_id() for _ in range(16)]
    for number in range(20):
        record(log, *[failed_turn(tenant, f"{number}") for tenant in tenants])

    def read(tenant: UUID) -> list[StoredEvent]:
        try:
            return log.read(tenant)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        for events in pool.map(read, tenants * 4):
            assert details(events) == [f"{number}" for number in range(20)]


def test_it_works_again_after_it_was_closed(make_log: MakeLog, tenant: UUID) -> None:
    log = make_log()
    record(log, failed_turn(tenant, "a"))
    log.close()
    record(log, failed_turn(tenant, "b"))
    assert details(log.read(tenant)) == ["a", "b"]


def test_the_embedded_default_needs_no_client_of_kafka() -> None:
    script = (
        "import sys, django; django.setup(); import soma.events.api; print('confluent_kafka' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_types_nobody_knows_have_no_partition(make_log: MakeLog, tenant: UUID) -> None:
    log = make_log()
    record(log, failed_turn(tenant, "a"))
    assert set(log.partitions(["chat.turn_exploded"])) <= {"log"}
    assert set(log.partitions([])) <= {"log"}
    assert len(set(log.partitions(TYPES)) - {"log"}) == 1
