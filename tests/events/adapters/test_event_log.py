"""What every event log does, whatever it is made of."""

from collections.abc import Callable
from uuid import UUID

import pytest

from soma.base.database import tenant_transaction
from soma.base.ids import new_id
from soma.events.api import Event, EventLog, PostgresEventLog, StoredEvent
from tests.events.samples import PAYLOADS, failed_turn

Relayed = Callable[..., list[StoredEvent]]
Details = Callable[[UUID], list[str]]


@pytest.fixture(params=[PostgresEventLog])
def log(request: pytest.FixtureRequest) -> EventLog:
    """Each log there is."""
    made: EventLog = request.param()
    return made


@pytest.mark.req("REPLAY-002")
def test_sequences_count_from_one_without_a_gap_for_each_tenant(log: EventLog, relayed: Relayed) -> None:
    one, two = new_id(), new_id()
    for number in range(5):
        relayed(failed_turn(one, f"{number}"))
        relayed(failed_turn(two, f"{number}"), failed_turn(two, f"{number}"))
    assert [event.sequence for event in log.read(one)] == [1, 2, 3, 4, 5]
    assert [event.sequence for event in log.read(two)] == list(range(1, 11))


@pytest.mark.req("REPLAY-002")
def test_positions_order_the_events_of_all_tenants_as_they_were_recorded(relayed: Relayed) -> None:
    one, two = new_id(), new_id()
    [first] = relayed(failed_turn(one, "first"))
    [second] = relayed(failed_turn(two, "second"))
    third = relayed(failed_turn(one, "third"))[-1]
    assert first.position < second.position < third.position
    assert first.recorded_at <= second.recorded_at <= third.recorded_at


@pytest.mark.req("PERSIST-002")
def test_an_event_id_is_recorded_once(tenant: UUID, relayed: Relayed) -> None:
    event, other = failed_turn(tenant, "once"), failed_turn(tenant, "other")
    relayed(event)
    relayed(event)
    entries = relayed(other, event)
    assert [(entry.sequence, entry.event_id) for entry in entries] == [
        (1, event.event_id),
        (2, other.event_id),
    ]


@pytest.mark.req("PERSIST-002")
def test_an_event_id_that_comes_twice_in_one_batch_is_recorded_once(tenant: UUID, relayed: Relayed) -> None:
    events = [failed_turn(tenant, f"{number}") for number in range(4)]
    entries = relayed(events[0], events[1], events[1], events[2], events[0], events[3])
    assert [entry.event_id for entry in entries] == [event.event_id for event in events]
    assert [entry.sequence for entry in entries] == [1, 2, 3, 4]


@pytest.mark.req("REPLAY-002")
def test_reading_by_key_page_by_page(log: EventLog, tenant: UUID, relayed: Relayed, details: Details) -> None:
    relayed(*[failed_turn(tenant, f"{number}", key=f"turn-{number % 2}") for number in range(10)])
    first = log.read(tenant, key="turn-1", limit=3)
    second = log.read(tenant, key="turn-1", after=first[-1].sequence, limit=3)
    assert [event.payload["detail"] for event in first + second] == ["1", "3", "5", "7", "9"]
    assert [event.sequence for event in first + second] == [2, 4, 6, 8, 10]
    assert details(tenant) == [str(number) for number in range(10)]
    assert log.read(tenant, key="turn-2") == []


@pytest.mark.req("AUTH-004")
def test_no_tenant_reads_anothers_events(log: EventLog, tenant: UUID, relayed: Relayed) -> None:
    relayed(failed_turn(tenant, "mine", key="shared"))
    other = new_id()
    assert log.read(other) == log.read(other, key="shared") == []
    with tenant_transaction(other):
        assert log.read(tenant) == []
    with tenant_transaction(tenant):
        assert len(log.read(tenant)) == 1


@pytest.mark.req("REPLAY-002")
def test_following_by_type(log: EventLog, relayed: Relayed) -> None:
    one, two = new_id(), new_id()
    started = relayed(failed_turn(one, "start"))[0].position
    session = PAYLOADS["identity.session_minted"]
    relayed(
        failed_turn(one, "a"),
        Event(tenant_id=one, type="identity.session_minted", key="s", payload=session),
        failed_turn(one, "b"),
    )
    relayed(failed_turn(two, "c"))
    mine = {one, two}

    def details_of(events: tuple[StoredEvent, ...]) -> list[str]:
        return [event.payload["detail"] for event in events if event.tenant_id in mine]

    everything = log.following(started, types=["chat.turn_failed"], limit=1000)
    assert details_of(everything.events) == ["a", "b", "c"]
    assert everything.position >= everything.events[-1].position
    assert (
        log.following(started, types=["chat.turn_failed"], limit=1).position == everything.events[0].position
    )
    assert log.following(started, types=[], limit=10).events == ()


@pytest.mark.req("REPLAY-002")
def test_following_passes_over_other_types_for_good(log: EventLog, tenant: UUID, relayed: Relayed) -> None:
    last = relayed(failed_turn(tenant, "last"))[-1].position
    ahead = log.following(0, types=["chat.turn_exploded"], limit=10)
    assert ahead.events == ()
    assert ahead.position >= last
    assert log.following(2**62, types=["chat.turn_failed"], limit=10).position == 2**62
