"""What every event log must do: the adapters' tests inherit these.

Each adapter's module works on a database of its own, where nobody else appends.
"""

import random
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

import pytest
from django.db import connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from soma.base.canonical import json_bytes
from soma.base.database import tenant_transaction, worker_transaction
from soma.base.ids import new_id
from soma.events.admission import PAYLOAD_BYTES
from soma.events.api import Event, EventLog, EventRefused, StoredEvent
from soma.events.event import PendingEvent
from tests.events.samples import PAYLOADS, failed_turn, pending

TURNS, TOOLS = "chat.turn_failed", "tool.executed"
TYPES = (TURNS, TOOLS)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=200)
TEXTS = [
    "Grüße, 世界, שלום, 🧠👩‍🔬",
    "quotes ' \" and \\ and \\u0000 and \\\\u0000 as text",
    "%s %(name)s {} $1 ; -- /* \n\r\t\x01\x7f\u2028\ufeff\uffff\U0010ffff",
    "",
]
LARGEST_POSITION = 2**62


class Undone(Exception):
    """Thrown to roll back."""


class EventLogContract:
    """The contract. The module of a subclass has the fixture `log`: one for all of these tests."""

    @pytest.fixture
    def tenant(self) -> UUID:
        return new_id()

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


def executed(tenant_id: UUID, call: str, *, key: str = "turn-1") -> Event:
    """An event of another topic than failed_turn's."""
    payload = {**PAYLOADS[TOOLS], "call_id": call}
    return Event(tenant_id=tenant_id, type=TOOLS, key=key, payload=payload)


def append(log: EventLog, events: Sequence[PendingEvent], *, undone: bool = False) -> None:
    """As the relay does."""
    with worker_transaction():
        log.append(events)
        if undone:
            raise Undone


def record(log: EventLog, *events: Event) -> None:
    """Append and commit."""
    append(log, [pending(event) for event in events])


def roll_back(log: EventLog, *events: Event) -> None:
    """Append, and take it back."""
    with pytest.raises(Undone):
        append(log, [pending(event) for event in events], undone=True)


def details(events: Sequence[StoredEvent]) -> list[str]:
    """What tells failed turns apart."""
    return [event.payload["detail"] for event in events]


def followed(log: EventLog, *tenants: UUID) -> list[StoredEvent]:
    """Every failed turn of `tenants`, as a new consumer comes to it, partition by partition."""
    return [event for event in walk(log, [TURNS], 100, since={}) if event.tenant_id in tenants]


def walk(
    log: EventLog, types: Sequence[str], limit: int, *, since: Mapping[str, int]
) -> Iterator[StoredEvent]:
    """All partitions of `types` from the positions `since`, `limit` events at a time."""
    for partition, last in log.partitions(types).items():
        position = since.get(partition, 0)
        while position < last:
            ahead = log.following(partition, position, types=types, limit=limit)
            assert all(position < event.position <= ahead.position for event in ahead.events)
            assert all(event.partition == partition for event in ahead.events)
            yield from ahead.events
            position = ahead.position
