"""What a consumer fails at holds up its own tenant alone, and an outage nobody's events."""

import threading
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
from soma.events.api import (
    EventLog,
    StoredEvent,
)
from soma.events.models import DeadLetter
from tests.events.consumers import (
    Ledger,
    Relayed,
    attempts_are,
    listening,
    make_due,
    parked,
    running,
)
from tests.events.samples import failed_turn
from tests.events.waiting import wait_until

pytestmark = [pytest.mark.req("PERSIST-002"), pytest.mark.usefixtures("own_database")]


@pytest.fixture
def log(either_log: EventLog) -> EventLog:
    return either_log


@pytest.fixture
def tenant() -> UUID:
    return new_id()


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
