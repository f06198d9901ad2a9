"""Consumers of a log that has partitions."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

import psycopg
import pytest

from soma.base.ids import new_id
from soma.events import consumer_offsets
from soma.events.api import (
    Consumer,
    Event,
    EventLog,
    Relay,
    StoredEvent,
)
from soma.project.stack.server import Server
from tests.events.consumers import (
    FAILED_TURNS,
    Ledger,
    Relayed,
    attempts_are,
    listening,
    make_due,
    parked,
    running,
)
from tests.events.samples import PAYLOADS, failed_turn
from tests.events.waiting import wait_until

pytestmark = [pytest.mark.req("PERSIST-002"), pytest.mark.usefixtures("own_database")]


@pytest.fixture
def log(either_log: EventLog) -> EventLog:
    return either_log


@pytest.fixture
def tenant() -> UUID:
    return new_id()


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
