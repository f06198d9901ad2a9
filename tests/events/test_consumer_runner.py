"""Consumers get every event they ask for, in order, and no failure of one is felt by another: whatever log
the events stand in."""

from uuid import UUID

import psycopg
import pytest

from soma.base.clock import now
from soma.base.database import tenant_transaction
from soma.base.ids import new_id
from soma.events.api import (
    ConsumerRunner,
    Event,
    EventLog,
    StoredEvent,
    publish,
)
from tests.events.consumers import (
    Ledger,
    Relayed,
    listening,
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


def test_a_handler_may_publish(name: str, tenant: UUID, log: EventLog, relayed: Relayed) -> None:
    def handler(event: StoredEvent) -> None:
        if event.tenant_id == tenant and event.payload["detail"] == "cause":
            with tenant_transaction(tenant):
                publish(failed_turn(tenant, "effect"))

    with running(log, listening(name, handler)) as runner:
        relayed(failed_turn(tenant, "cause"))
        assert runner.drain(30)
        wait_until(lambda: [event.payload["detail"] for event in log.read(tenant)] == ["cause", "effect"])
