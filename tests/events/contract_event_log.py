"""What every event log must do: the adapters' tests inherit these.

Each adapter's module works on a database of its own, where nobody else appends.
"""

import random
import threading
from collections import defaultdict
from dataclasses import replace
from uuid import UUID

import pytest
from django.db import connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from soma.base.canonical import json_bytes
from soma.base.database import worker_transaction
from soma.base.ids import new_id
from soma.events.admission import PAYLOAD_BYTES
from soma.events.api import Event, EventLog, EventRefused
from tests.events.contract_event_reading import EventReadingContract
from tests.events.logs import (
    TEXT,
    TEXTS,
    TURNS,
    TYPES,
    append,
    details,
    executed,
    followed,
    record,
    roll_back,
    walk,
)
from tests.events.samples import PAYLOADS, failed_turn, pending


class EventLogContract(EventReadingContract):
    """The contract. The module of a subclass has the fixture `log`: one for all of these tests."""

    @pytest.mark.req("REPLAY-002")
    def test_sequences_count_from_one_without_a_gap_for_each_tenant(self, log: EventLog) -> None:
        one, two = new_id(), new_id()
        for number in range(5):
            record(log, failed_turn(one, f"{number}"))
            record(log, failed_turn(two, f"{number}"), failed_turn(two, f"{number}"))
        assert [event.sequence for event in log.read(one)] == [1, 2, 3, 4, 5]
        assert [event.sequence for event in log.read(two)] == list(range(1, 11))

    @pytest.mark.req("REPLAY-002")
    def test_interleaved_tenants_keep_their_order(self, log: EventLog) -> None:
        tenants = [new_id() for _ in range(7)]
        events = [failed_turn(tenants[number % 7], f"{number // 7}") for number in range(7 * 30)]
        record(log, *events)
        for tenant in tenants:
            assert details(log.read(tenant)) == [f"{number}" for number in range(30)]
        ids = [event.event_id for event in followed(log, *tenants)]
        assert sorted(ids, key=str) == sorted((event.event_id for event in events), key=str)

    @pytest.mark.req("REPLAY-002")
    def test_positions_grow_in_the_order_of_recording(self, log: EventLog, tenant: UUID) -> None:
        for detail in "abc":
            record(log, failed_turn(tenant, detail))
        events = log.read(tenant)
        assert {event.partition for event in events} <= set(log.partitions([TURNS]))
        assert len({event.partition for event in events}) == 1
        assert 0 < events[0].position < events[1].position < events[2].position
        assert events[0].recorded_at <= events[1].recorded_at <= events[2].recorded_at

    @pytest.mark.req("PERSIST-002")
    def test_every_attribute_arrives(self, log: EventLog, tenant: UUID) -> None:
        events = [
            Event(tenant_id=tenant, type=name, key=f"key {name}", payload=payload, trace_id=f"trace {name}")
            for name, payload in PAYLOADS.items()
        ]
        record(log, *events)
        names = ("event_id", "tenant_id", "type", "version", "key", "payload", "trace_id", "occurred_at")
        for event, entry in zip(events, log.read(tenant), strict=True):
            assert [getattr(entry, name) for name in names] == [getattr(event, name) for name in names]
            assert entry.topic == pending(event).topic
            assert entry.recorded_at >= entry.occurred_at

    @pytest.mark.req("PERSIST-002")
    def test_a_batch_that_comes_twice_is_recorded_once(self, log: EventLog, tenant: UUID) -> None:
        events = [failed_turn(tenant, f"{number}") for number in range(5)]
        record(log, *events)
        before = log.read(tenant)
        record(log, *events)
        assert log.read(tenant) == before
        assert [event.event_id for event in before] == [event.event_id for event in events]

    @pytest.mark.req("PERSIST-002")
    def test_batches_that_overlap_are_recorded_once(self, log: EventLog, tenant: UUID) -> None:
        events = [failed_turn(tenant, f"{number}") for number in range(10)]
        record(log, *events[:6])
        record(log, *events[4:9])
        record(log, events[9], events[0], events[9], events[5])
        entries = log.read(tenant)
        assert [entry.event_id for entry in entries] == [event.event_id for event in events]
        assert [entry.sequence for entry in entries] == list(range(1, 11))

    @pytest.mark.req("PERSIST-002")
    def test_nothing_of_what_was_rolled_back_is_ever_seen(self, log: EventLog, tenant: UUID) -> None:
        record(log, failed_turn(tenant, "before"))
        roll_back(log, failed_turn(tenant, "undone"), failed_turn(tenant, "undone too"))
        again = failed_turn(tenant, "again")
        roll_back(log, again)
        record(log, again, failed_turn(tenant, "after"))
        assert details(log.read(tenant)) == ["before", "again", "after"]
        assert [event.sequence for event in log.read(tenant)] == [1, 2, 3]
        assert details(followed(log, tenant)) == ["before", "again", "after"]

    @pytest.mark.req("PERSIST-002")
    def test_what_is_not_committed_yet_is_neither_seen_nor_passed_by(
        self, log: EventLog, tenant: UUID
    ) -> None:
        """The relay may take its time between the log's word and the commit."""
        record(log, failed_turn(tenant, "before"))
        [before] = log.read(tenant)
        appended, commit = threading.Event(), threading.Event()

        def append_slowly() -> None:
            with worker_transaction():
                log.append([pending(failed_turn(tenant, "slow"))])
                appended.set()
                assert commit.wait(30)
            connections.close_all()

        thread = threading.Thread(target=append_slowly)
        thread.start()
        try:
            assert appended.wait(30)
            assert log.read(tenant) == [before]
            seen = log.following(before.partition, before.position, types=TYPES, limit=10)
            assert seen.events == ()
        finally:
            commit.set()
            thread.join()
        ahead = log.following(before.partition, seen.position, types=TYPES, limit=10)
        assert details(ahead.events) == ["slow"]
        assert details(log.read(tenant)) == ["before", "slow"]

    @pytest.mark.req("PERSIST-002")
    def test_a_payload_of_a_mebibyte_is_taken_and_a_longer_one_refused(
        self, log: EventLog, tenant: UUID
    ) -> None:
        noise = random.Random(1).randbytes(PAYLOAD_BYTES).hex()
        room = PAYLOAD_BYTES - len(pending(failed_turn(tenant, "")).payload)
        large, larger = (failed_turn(tenant, noise[:size]) for size in (room, room + 1))
        wide = failed_turn(tenant, "é" * (room // 2 + 1))
        record(log, failed_turn(tenant, "small"), large)
        for refused in (larger, wide):
            with pytest.raises(EventRefused, match=f"a log takes {PAYLOAD_BYTES}"):
                record(log, failed_turn(tenant, "goes down with it"), refused)
        record(log, failed_turn(tenant, "goes without it"))
        entries = log.read(tenant)
        assert details(entries) == ["small", noise[:room], "goes without it"]
        assert len(json_bytes(entries[1].payload)) == PAYLOAD_BYTES

    @pytest.mark.req("PERSIST-002")
    def test_many_large_payloads_in_one_batch(self, log: EventLog, tenant: UUID) -> None:
        noise = random.Random(2).randbytes(PAYLOAD_BYTES // 3).hex()
        record(log, *[failed_turn(tenant, f"{number}{noise}") for number in range(8)])
        assert [detail[0] for detail in details(log.read(tenant))] == list("01234567")

    @pytest.mark.req("PERSIST-002")
    @pytest.mark.parametrize(
        "payload",
        ['["no object"]', '"text"', "7", "null", "", "{", '{"a": NaN}', '{"a": "\\u0000"}', '{"\\u0000": 1}'],
    )
    def test_what_postgres_could_not_keep_is_refused_with_its_whole_batch(
        self, log: EventLog, tenant: UUID, payload: str
    ) -> None:
        bad = replace(pending(failed_turn(tenant, "")), payload=payload)
        with pytest.raises(EventRefused):
            append(log, [pending(failed_turn(tenant, "good")), bad])
        assert log.read(tenant) == []
        record(log, failed_turn(tenant, "good"))
        assert [event.sequence for event in log.read(tenant)] == [1]

    @pytest.mark.req("PERSIST-002")
    @pytest.mark.parametrize("text", TEXTS)
    def test_any_text_survives(self, log: EventLog, tenant: UUID, text: str) -> None:
        written = replace(failed_turn(tenant, text, key=f"k {text}"), trace_id=f"t {text}")
        record(log, written)
        [entry] = log.read(tenant, key=f"k {text}")
        assert (entry.key, entry.trace_id, entry.payload) == (written.key, written.trace_id, written.payload)

    @pytest.mark.req("PERSIST-002")
    @settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
    @given(texts=st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=20))
    def test_every_text_survives(self, log: EventLog, texts: list[tuple[str, str, str]]) -> None:
        tenant = new_id()
        record(
            log,
            *[replace(failed_turn(tenant, detail, key=key), trace_id=trace) for detail, key, trace in texts],
        )
        entries = log.read(tenant)
        assert [(entry.payload["detail"], entry.key, entry.trace_id) for entry in entries] == texts
        key = texts[0][1]
        assert [entry.key for entry in log.read(tenant, key=key)] == [key] * sum(
            key == other for _, other, _ in texts
        )

    @pytest.mark.req("PERSIST-002")
    @settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
    @given(
        batches=st.lists(
            st.tuples(st.lists(st.integers(0, 11), max_size=8), st.booleans()), min_size=1, max_size=6
        ),
        after=st.integers(0, 6),
        limit=st.integers(1, 6),
    )
    def test_the_log_is_what_was_committed_once_in_order(
        self, log: EventLog, batches: list[tuple[list[int], bool]], after: int, limit: int
    ) -> None:
        """Whatever is appended together, again, or in vain."""
        tenants = [new_id() for _ in range(3)]
        pool = [
            (failed_turn if number % 2 else executed)(tenants[number % 3], f"{number}", key=f"{number % 4}")
            for number in range(12)
        ]
        committed: dict[UUID, Event] = {}
        start = log.partitions(TYPES)
        for numbers, commits in batches:
            (record if commits else roll_back)(log, *[pool[number] for number in numbers])
            if commits:
                committed |= {pool[number].event_id: pool[number] for number in numbers}
        expected: dict[UUID, list[UUID]] = defaultdict(list)
        for event in committed.values():
            expected[event.tenant_id].append(event.event_id)
        for tenant in tenants:
            entries = log.read(tenant)
            assert [entry.event_id for entry in entries] == expected[tenant]
            assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))
            assert log.read(tenant, after=after, limit=limit) == entries[after : after + limit]
            assert log.read(tenant, key="3") == [entry for entry in entries if entry.key == "3"]
            for event_type in TYPES:
                new = walk(log, [event_type], limit, since=start)
                assert [entry for entry in new if entry.tenant_id == tenant] == [
                    entry for entry in entries if entry.type == event_type
                ]
