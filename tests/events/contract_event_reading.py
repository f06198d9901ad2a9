"""What can be read of every event log, and followed in it: part of the contract of logs."""

from uuid import UUID

import pytest

from soma.base.database import tenant_transaction
from soma.base.ids import new_id
from soma.events.api import Event, EventLog
from tests.events.logs import (
    LARGEST_POSITION,
    TOOLS,
    TURNS,
    TYPES,
    details,
    executed,
    record,
)
from tests.events.samples import PAYLOADS, failed_turn


class EventReadingContract:
    """See EventLogContract."""

    @pytest.fixture
    def tenant(self) -> UUID:
        return new_id()

    @pytest.mark.req("REPLAY-002")
    def test_keys_that_begin_like_another_are_told_apart(self, log: EventLog, tenant: UUID) -> None:
        keys = ["acme", "acme-corp", "acme%", "acm_", "acme/", "acme0", "ACME", "acme ", "", "%"]
        record(log, *[failed_turn(tenant, key, key=key) for key in keys])
        for key in keys:
            assert details(log.read(tenant, key=key)) == [key]

    @pytest.mark.req("AUTH-004")
    def test_tenants_of_which_one_is_almost_the_other_are_told_apart(self, log: EventLog) -> None:
        first = new_id()
        tenants = [first, UUID(int=first.int ^ 1), UUID(int=first.int ^ (1 << 127))]
        record(log, *[failed_turn(tenant, f"{tenant}", key="acme") for tenant in tenants])
        for tenant in tenants:
            assert details(log.read(tenant)) == details(log.read(tenant, key="acme")) == [f"{tenant}"]

    @pytest.mark.req("AUTH-004")
    def test_no_tenant_reads_anothers_events(self, log: EventLog, tenant: UUID) -> None:
        record(log, failed_turn(tenant, "mine", key="shared"))
        other = new_id()
        assert log.read(other) == log.read(other, key="shared") == []
        with tenant_transaction(other):
            assert log.read(tenant) == []
        with tenant_transaction(tenant):
            assert len(log.read(tenant)) == 1

    @pytest.mark.req("REPLAY-002")
    def test_reading_by_key_page_by_page(self, log: EventLog, tenant: UUID) -> None:
        record(log, *[failed_turn(tenant, f"{number}", key=f"turn-{number % 2}") for number in range(10)])
        first = log.read(tenant, key="turn-1", limit=3)
        second = log.read(tenant, key="turn-1", after=first[-1].sequence, limit=3)
        assert details([*first, *second]) == ["1", "3", "5", "7", "9"]
        assert [event.sequence for event in (*first, *second)] == [2, 4, 6, 8, 10]
        assert log.read(tenant, key="turn-1", after=10) == log.read(tenant, key="turn-2") == []

    @pytest.mark.req("REPLAY-002")
    def test_reading_across_topics_follows_the_sequence(self, log: EventLog, tenant: UUID) -> None:
        events = [
            failed_turn(tenant, f"{number}") if number % 3 else executed(tenant, f"{number}")
            for number in range(12)
        ]
        record(log, *events)
        assert [entry.event_id for entry in log.read(tenant)] == [event.event_id for event in events]
        assert [entry.event_id for entry in log.read(tenant, after=4, limit=5)] == [
            event.event_id for event in events[4:9]
        ]

    @pytest.mark.req("REPLAY-002")
    def test_following_by_type_and_limit(self, log: EventLog, tenant: UUID) -> None:
        record(log, failed_turn(tenant, "start"))
        [start] = log.read(tenant)
        session = PAYLOADS["chat.turn_started"]
        started = Event(tenant_id=tenant, type="chat.turn_started", key="s", payload=session)
        record(log, failed_turn(tenant, "a"), started, failed_turn(tenant, "b"), failed_turn(tenant, "c"))

        everything = log.following(start.partition, start.position, types=[TURNS], limit=1000)
        assert details(everything.events) == ["a", "b", "c"]
        assert everything.position >= everything.events[-1].position
        one = log.following(start.partition, start.position, types=[TURNS], limit=1)
        assert (details(one.events), one.position) == (["a"], everything.events[0].position)
        other = log.following(start.partition, start.position, types=["chat.turn_started"], limit=2)
        assert [event.event_id for event in other.events] == [started.event_id]
        assert log.following(start.partition, start.position, types=[], limit=10).events == ()

    @pytest.mark.req("REPLAY-002")
    def test_following_passes_over_other_types_for_good(self, log: EventLog, tenant: UUID) -> None:
        record(log, failed_turn(tenant, "last"))
        [last] = log.read(tenant)
        ahead = log.following(last.partition, 0, types=["chat.turn_exploded"], limit=10)
        assert ahead.events == ()
        assert ahead.position >= last.position
        behind = log.following(last.partition, LARGEST_POSITION, types=TYPES, limit=10)
        assert (behind.events, behind.position) == ((), LARGEST_POSITION)

    @pytest.mark.req("MEM-003")
    def test_what_follows_is_counted_by_type(self, log: EventLog, tenant: UUID) -> None:
        record(log, failed_turn(tenant, "start"))
        [start] = log.read(tenant)
        place = start.partition, start.position
        before = log.count(*place, types=TYPES)
        record(log, *[failed_turn(tenant, f"{number}") for number in range(5)])
        assert log.count(*place, types=TYPES) == before + 5
        assert log.count(*place, types=["chat.turn_exploded"]) == 0
        assert log.count(*place, types=[]) == 0
        assert log.count(start.partition, LARGEST_POSITION, types=TYPES) == 0
        assert log.count("nowhere", 0, types=TYPES) == 0

    @pytest.mark.req("REPLAY-002")
    def test_a_partition_that_does_not_exist_has_nothing(self, log: EventLog) -> None:
        ahead = log.following("nowhere", 7, types=TYPES, limit=10)
        assert (ahead.events, ahead.position) == ((), 7)

    @pytest.mark.req("REPLAY-002")
    def test_a_partitions_last_position_is_that_of_its_last_event(self, log: EventLog, tenant: UUID) -> None:
        record(log, failed_turn(tenant, "turn"), executed(tenant, "tool"))
        turn, tool = log.read(tenant)
        ends = log.partitions(TYPES)
        assert ends[turn.partition] >= turn.position
        assert ends[tool.partition] >= tool.position
        assert ends == log.partitions([TURNS]) | log.partitions([TOOLS])
        record(log, failed_turn(tenant, "another"))
        assert log.partitions([TURNS])[turn.partition] == log.read(tenant)[-1].position
