"""A consumer says that it lives, and how far it has come."""

import os
import threading
from uuid import UUID

import psycopg
import pytest

from soma.base.clock import now
from soma.base.errors import Unavailable
from soma.base.ids import new_id
from soma.events import consumer_offsets
from soma.events.api import (
    ConsumerRunner,
    EventLog,
    StoredEvent,
)
from tests.events.consumers import (
    Ledger,
    Relayed,
    listening,
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
    name: str, tenant: UUID, log: EventLog, relayed: Relayed
) -> None:
    ledger = Ledger(tenant)
    ledger.errors["bad"] = Unavailable("the brain is away")
    with running(log, listening(name, ledger), beat=0.0) as runner:
        relayed(failed_turn(tenant, "bad"))
        wait_until(lambda: name in runner.heartbeats())
        wait_until(lambda: "the brain is away" in runner.heartbeats()[name].last_error)
        assert not runner.heartbeats()[name].silent
        ledger.errors.clear()
        wait_until(lambda: not runner.heartbeats()[name].last_error)
    assert ledger.details == ["bad"]


def test_in_a_long_batch_it_gives_signs_of_life_and_keeps_its_offset(
    name: str, tenant: UUID, log: EventLog, relayed: Relayed
) -> None:
    first, *_ = relayed(*[failed_turn(tenant, f"{number}") for number in range(3)])
    offsets: list[int] = []
    done = threading.Event()

    def handler(event: StoredEvent) -> None:
        if event.tenant_id == tenant:
            offsets.append(consumer_offsets.load(name).get(event.partition, 0))
            if len(offsets) == 3:
                done.set()

    with running(log, listening(name, handler), beat=0.0) as runner:
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
