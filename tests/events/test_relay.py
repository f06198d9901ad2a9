"""Everything committed reaches the log exactly once and in order, whatever happens on the way and whatever
log it is."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from uuid import UUID

import psycopg
import pytest
from django.db import connections

from soma.base.clock import now
from soma.base.database import tenant_transaction
from soma.base.ids import new_id
from soma.events.api import EventLog, PostgresEventLog, Relay, publish
from soma.events.models import DeadLetter, OutboxMessage
from tests.events.samples import failed_turn
from tests.events.waiting import wait_until

pytestmark = [pytest.mark.req("PERSIST-002"), pytest.mark.usefixtures("own_database")]

Commit = Callable[..., None]
Details = Callable[[UUID], list[str]]

BAD = """
INSERT INTO outbox_message (event_id, tenant_id, topic, type, version, key, trace_id, occurred_at, payload)
VALUES (gen_random_uuid(), %s, 'chat.events', 'chat.turn_failed', 1, 'bad', '', now(), '["no object"]')
"""


@pytest.fixture
def log(either_log: EventLog) -> EventLog:
    return either_log


@pytest.fixture
def tenant() -> UUID:
    return new_id()


@pytest.fixture
def commit_bad() -> Callable[[UUID], None]:
    """Puts a row into a tenant's outbox that the log can never take, which no publisher of ours would."""

    def commit_bad(tenant_id: UUID) -> None:
        with tenant_transaction(tenant_id):
            connections["default"].cursor().execute(BAD, [tenant_id])

    return commit_bad


@pytest.fixture
def closed_to(superuser: psycopg.Connection, tenant: UUID, log: EventLog) -> Iterator[Callable[[bool], None]]:
    """Makes the log refuse the tenant's events, or take them again."""
    name = f"closed_{tenant.hex}"
    table = "event_log" if isinstance(log, PostgresEventLog) else "event_place"

    def closed(yes: bool) -> None:
        superuser.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
        if yes:
            superuser.execute(
                f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK (tenant_id <> '{tenant}') NOT VALID"
            )

    yield closed
    closed(False)


def in_outbox(tenant_id: UUID) -> list[OutboxMessage]:
    with tenant_transaction(tenant_id):
        return list(OutboxMessage.objects.order_by("id"))


def dead_letters(tenant_id: UUID) -> list[DeadLetter]:
    with tenant_transaction(tenant_id):
        return list(DeadLetter.objects.order_by("id"))


def failures(tenant_id: UUID) -> int:
    return max((row.attempts for row in in_outbox(tenant_id)), default=0)


def has_failed(tenant_id: UUID, times: int) -> bool:
    return failures(tenant_id) == times


def make_due(superuser: psycopg.Connection, tenant_id: UUID) -> None:
    """Spare the test the pause before the next attempt."""
    superuser.execute(
        "UPDATE outbox_message SET next_attempt_at = now() WHERE tenant_id = %s AND attempts > 0", [tenant_id]
    )


def test_what_is_relayed_leaves_the_outbox(
    tenant: UUID, relay: Relay, commit: Commit, details: Details
) -> None:
    commit(failed_turn(tenant, "a"), failed_turn(tenant, "b"))
    assert relay.drain(30)
    assert in_outbox(tenant) == []
    assert details(tenant) == ["a", "b"]


def test_what_was_published_before_the_relay_started_is_relayed(
    tenant: UUID, log: EventLog, commit: Commit, details: Details
) -> None:
    for number in range(30):
        commit(failed_turn(tenant, f"{number}"))
    relay = Relay(log, batch_size=7)
    relay.start()
    assert relay.drain(30)
    relay.stop()
    assert details(tenant) == [f"{number}" for number in range(30)]


def test_a_relay_tells_whether_it_runs(log: EventLog) -> None:
    relay = Relay(log)
    assert not relay.status().running
    relay.start()
    assert relay.status().running
    relay.stop()
    assert not relay.status().running
    assert not relay.status().active


def test_relays_at_once_neither_double_nor_reorder(log: EventLog, commit: Commit, details: Details) -> None:
    tenants = [new_id() for _ in range(4)]
    relays = [Relay(log, batch_size=3) for _ in range(3)]

    def write(tenant_id: UUID) -> None:
        for number in range(40):
            commit(failed_turn(tenant_id, f"{number}"))
        connections.close_all()

    writers = [threading.Thread(target=write, args=(tenant_id,)) for tenant_id in tenants]
    for relay in relays:
        relay.start()
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    relays[0].stop()
    assert relays[1].drain(30)
    assert sum(relay.status().active for relay in relays) <= 1
    for relay in relays[1:]:
        relay.stop()
    for tenant_id in tenants:
        assert details(tenant_id) == [f"{number}" for number in range(40)]
        assert [event.sequence for event in log.read(tenant_id)] == list(range(1, 41))


def test_a_bad_event_holds_up_its_own_tenant_only(
    tenant: UUID,
    relay: Relay,
    commit: Commit,
    commit_bad: Callable[[UUID], None],
    details: Details,
) -> None:
    other = new_id()
    commit(failed_turn(tenant, "before"))
    commit_bad(tenant)
    commit(failed_turn(tenant, "after"))
    commit(failed_turn(other, "of the other"))
    wait_until(lambda: failures(tenant) > 0 and details(other) == ["of the other"])
    commit(failed_turn(other, "later"))
    wait_until(lambda: details(other) == ["of the other", "later"])
    assert details(tenant) == ["before"]
    assert len(in_outbox(tenant)) == 2


def test_after_five_attempts_a_bad_event_is_a_dead_letter_and_the_rest_goes_on_without_a_gap(
    tenant: UUID,
    log: EventLog,
    relay: Relay,
    commit: Commit,
    commit_bad: Callable[[UUID], None],
    details: Details,
    superuser: psycopg.Connection,
) -> None:
    commit(failed_turn(tenant, "before"))
    commit_bad(tenant)
    commit(failed_turn(tenant, "after"))
    for attempt in (1, 2, 3, 4):
        wait_until(partial(has_failed, tenant, attempt))
        bad, _after = in_outbox(tenant)
        assert bad.next_attempt_at is not None
        assert bad.next_attempt_at - now() <= timedelta(seconds=2**attempt)
        assert bad.next_attempt_at - now() > timedelta(seconds=2**attempt - 2)
        assert "object" in bad.last_error
        make_due(superuser, tenant)
    assert relay.drain(30)
    [letter] = dead_letters(tenant)
    assert (letter.source, letter.attempts, letter.key, letter.payload) == ("relay", 5, "bad", ["no object"])
    assert letter.position is None
    assert details(tenant) == ["before", "after"]
    assert [event.sequence for event in log.read(tenant)] == [1, 2]


def test_a_delivery_that_fails_twice_succeeds_the_third_time(
    tenant: UUID,
    relay: Relay,
    commit: Commit,
    closed_to: Callable[[bool], None],
    details: Details,
    superuser: psycopg.Connection,
) -> None:
    closed_to(True)
    commit(*[failed_turn(tenant, f"{number}") for number in range(5)])
    wait_until(lambda: failures(tenant) == 1)
    make_due(superuser, tenant)
    wait_until(lambda: failures(tenant) == 2)
    assert details(tenant) == []
    closed_to(False)
    make_due(superuser, tenant)
    assert relay.drain(30)
    assert details(tenant) == [f"{number}" for number in range(5)]
    assert dead_letters(tenant) == []


def test_many_bad_events_among_good_ones(
    relay: Relay, commit: Commit, commit_bad: Callable[[UUID], None], details: Details
) -> None:
    tenants = [new_id() for _ in range(12)]
    for tenant_id in tenants:
        commit(failed_turn(tenant_id, "good"))
    for tenant_id in tenants[::3]:
        commit_bad(tenant_id)
    for tenant_id in tenants:
        commit(failed_turn(tenant_id, "better"))
    bad = set(tenants[::3])
    wait_until(lambda: all(details(t) == ["good", "better"] for t in tenants if t not in bad))
    assert all(details(tenant_id) == ["good"] for tenant_id in bad)


def test_the_backlog_tells_how_much_waits_and_since_when(
    tenant: UUID, relay: Relay, commit_bad: Callable[[UUID], None]
) -> None:
    commit_bad(tenant)
    [bad] = in_outbox(tenant)
    backlog = relay.backlog()
    assert backlog.waiting >= 1
    assert backlog.oldest is not None
    assert backlog.oldest <= bad.occurred_at


def test_an_event_is_relayed_long_before_the_next_poll(tenant: UUID, log: EventLog, details: Details) -> None:
    """The commit itself wakes the relay."""

    def is_recorded(detail: str) -> bool:
        return detail in details(tenant)

    relay = Relay(log, poll=3600)
    relay.start()
    wait_until(lambda: relay.status().running)
    for number in range(3):
        with tenant_transaction(tenant):
            publish(failed_turn(tenant, f"{number}"))
        wait_until(partial(is_recorded, f"{number}"), seconds=10)
    relay.stop()
