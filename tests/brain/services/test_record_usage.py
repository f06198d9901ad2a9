"""soma.brain.services.record_usage"""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from queue import SimpleQueue
from typing import Any
from uuid import UUID

import pytest
from django.db import connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from soma.base.database import APP, tenant_transaction
from soma.base.errors import InvalidInput, LimitExceeded
from soma.base.ids import new_id
from soma.brain.api import Brain, LinksUnavailable, Usage, UsageTaken
from soma.brain.services.memory_links import EVIDENCE_USED, usage_of
from soma.events.api import StoredEvent
from soma.fractalmemory.adapters.link_store_postgres import PostgresLinkStore
from soma.fractalmemory.api import HALF_LIFE_DAYS, MAX_LINKS, USED_TOGETHER, LinkKey
from tests.brain.linked import Linked
from tests.brain.turns import NEW_YEAR

pytestmark = pytest.mark.req("MEM-004")
DAY = timedelta(days=1)


@pytest.fixture
def linked(brain: Brain, tenant: UUID) -> Linked:
    return Linked(brain=brain, tenant=tenant)


def test_what_is_used_together_gets_linked(linked: Linked) -> None:
    a, b, c, d = linked.tell("Ann", "Ben", "Cleo", "Dan")
    assert linked.use(a, b, c, entries=[a, b, c, d]) == UsageTaken(taken=True, made=3, carried=3)
    links = linked.links(a, b, c)
    assert {frozenset((each.key.source_id, each.key.target_id)) for each in links} == {
        frozenset((a, b)),
        frozenset((a, c)),
        frozenset((b, c)),
    }
    assert {each.key.kind for each in links} == {USED_TOGETHER}
    assert linked.links(d) == []


def test_what_was_used_alone_gets_no_link(linked: Linked) -> None:
    a, b = linked.tell("Ann", "Ben")
    assert linked.use(a, entries=[a, b]) == UsageTaken(taken=True)
    assert linked.links(a, b) == []


def test_a_use_counts_once(linked: Linked) -> None:
    a, b = linked.tell("Ann", "Ben")
    linked.use(a, b, name="turn:1")
    once = linked.links(a)
    assert linked.use(a, b, name="turn:1", at=NEW_YEAR + DAY) == UsageTaken(taken=False)
    assert linked.links(a) == once


def test_one_use_by_hand(linked: Linked) -> None:
    """(1 − βΔt)·C + αΔt·.3·|Q| with β = ln 2/30 days, α = 4 β, Δt = 10 days, C = .5, |Q| = 1."""
    a, b = linked.tell("Ann", "Ben")
    linked.use(a, b)
    [link] = linked.links(a)
    step = 10 * 0.6931471805599453 / 30
    assert link.conductance == pytest.approx((1 - step) * 0.5 + 4 * step * 0.3)
    assert link.flow == pytest.approx(0.3)


def test_used_links_grow_to_a_fixed_point_and_unused_ones_decay(linked: Linked) -> None:
    a, b, c = linked.tell("Ann", "Ben", "Cleo")
    linked.use(b, c)
    values = []
    for number in range(40):
        linked.use(a, b, at=NEW_YEAR + number * timedelta(minutes=5))
        values += [each.conductance for each in linked.links(a)]
    assert values == sorted(values)
    assert values[-1] == pytest.approx(4.0, abs=0.05)
    last = NEW_YEAR + 39 * timedelta(minutes=5)
    half = linked.links(a, at=last + HALF_LIFE_DAYS * DAY)
    assert half[0].conductance == pytest.approx(values[-1] / 2, rel=1e-6)


def test_flow_takes_the_shorter_way_and_the_longer_one_fades(linked: Linked) -> None:
    start, middle, end = linked.tell("Start", "Middle", "End")
    for pair in ((start, middle), (middle, end), (start, end)):
        linked.use(*pair)
    for _ in range(30):
        linked.use(end, entries=[start])
    short, *detour = (
        next(each.conductance for each in linked.links(a) if b in (each.key.source_id, each.key.target_id))
        for a, b in ((start, end), (start, middle), (middle, end))
    )
    assert short > 3.5
    assert max(detour) < 0.5


def test_a_link_by_hand_gains_and_comes_back_to_what_it_was_given(linked: Linked) -> None:
    a, b = linked.tell("Ann", "Ben")
    linked.link(a, b, 0.5)
    for _ in range(40):
        assert linked.use(b, entries=[a]).made == 0
    [used] = linked.links(a)
    assert used.conductance == pytest.approx(4.5, abs=0.05)
    [rested] = linked.links(a, at=NEW_YEAR + 1000 * DAY)
    assert rested.conductance == pytest.approx(0.5, abs=1e-4)
    assert rested.key.kind == "about"


@settings(deadline=None, max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sets(st.integers(0, 4), max_size=4),
            st.sets(st.integers(0, 4), max_size=5),
            st.integers(0, 200),
        ),
        max_size=12,
    )
)
def test_conductances_are_bounded_whatever_is_used(
    linked: Linked, uses: list[tuple[set[int], set[int], int]]
) -> None:
    ids = linked.tell(*(str(new_id()) for _ in range(5)))
    linked.link(ids[0], ids[1], 10.0)
    at = NEW_YEAR
    for used, entries, days in uses:
        at += days * DAY
        linked.use(*(ids[i] for i in sorted(used)), entries=[ids[i] for i in sorted(entries)], at=at)
    for link in linked.links(*ids, at=at):
        assert 0.0 < link.conductance <= 10.0
        assert 0.0 <= link.flow <= 1.0


def test_the_same_uses_give_the_same_links(brain: Brain, tenant: UUID, other_tenant: UUID) -> None:
    def lived(here: UUID) -> list[tuple[float, float]]:
        linked = Linked(brain=brain, tenant=here)
        a, b, c, d = linked.tell("Ann", "Ben", "Cleo", "Dan")
        linked.use(a, b, entries=[a, b, c])
        linked.use(b, c, entries=[b, c, d], at=NEW_YEAR + DAY)
        linked.use(d, a, entries=[b], at=NEW_YEAR + 3 * DAY)
        links = sorted(linked.links(a, b, c, d, at=NEW_YEAR + 4 * DAY), key=lambda each: each.created_at)
        return sorted((each.conductance, each.flow) for each in links)

    assert lived(tenant) == lived(other_tenant)


def test_concurrent_turns_lose_no_update(linked: Linked) -> None:
    a, b = linked.tell("Ann", "Ben")

    def use(number: int) -> bool:
        try:
            return linked.use(a, b, name=f"turn:{number // 2}").taken
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        taken = list(threads.map(use, range(24)))
    assert sum(taken) == 12  # each was told twice
    [link] = linked.links(a)
    assert link.flow == pytest.approx(1 - 0.7**12)


def test_a_memory_has_so_many_links_and_no_more(linked: Linked) -> None:
    hub, *others = linked.tell("Hub", *(f"Leaf {number}" for number in range(MAX_LINKS + 6)))
    for number, other in enumerate(others):
        linked.use(hub, other, at=NEW_YEAR + number * DAY)
    assert len(linked.links(hub, at=NEW_YEAR + 100 * DAY)) == MAX_LINKS


def test_what_is_gone_or_elsewhere_is_left_out(linked: Linked, other_tenant: UUID) -> None:
    a, b, gone = linked.tell("Ann", "Ben", "Gone")
    [elsewhere] = linked.tell("Elsewhere", namespace="m")
    [theirs] = Linked(brain=linked.brain, tenant=other_tenant).tell("Theirs")
    linked.brain.forget(linked.tenant, [gone])
    assert linked.use(a, gone, elsewhere, theirs, new_id(), b) == UsageTaken(taken=True, made=1, carried=1)


def test_many_used_are_linked_as_far_as_the_best(linked: Linked) -> None:
    ids = linked.tell(*(f"Memory {number}" for number in range(12)))
    assert linked.use(*ids).made == 8 * 7 // 2
    assert linked.links(*ids[8:]) == []


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"name": ""}, InvalidInput),
        ({"name": "a" * 201}, InvalidInput),
        ({"name": "a\x00"}, InvalidInput),
        ({"used": tuple(new_id() for _ in range(101))}, LimitExceeded),
        ({"entries": tuple(new_id() for _ in range(101))}, LimitExceeded),
    ],
)
def test_a_use_that_cannot_be_is_refused(
    tenant: UUID, changes: dict[str, Any], error: type[Exception]
) -> None:
    values = {"tenant_id": tenant, "namespace": "n", "name": "x", "entries": (), "used": (), "at": NEW_YEAR}
    with pytest.raises(error):
        Usage(**{**values, **changes})


def test_without_a_database_nothing_is_taken_in(cut_off_brain: Brain, linked: Linked) -> None:
    with pytest.raises(LinksUnavailable):
        Linked(brain=cut_off_brain, tenant=linked.tenant).use(new_id(), new_id(), name="turn:1")
    a, b = linked.tell("Ann", "Ben")
    assert linked.use(a, b, name="turn:1").taken


def test_a_session_that_is_killed_neither_loses_nor_doubles_a_use(linked: Linked) -> None:
    a, b = linked.tell("Ann", "Ben")
    pids: SimpleQueue[int] = SimpleQueue()

    def use() -> UsageTaken:
        try:
            with connections[APP].cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                pids.put(cursor.fetchone()[0])
            return linked.use(a, b, name="turn:1")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as thread:
        with tenant_transaction(linked.tenant):
            # It waits for this transaction, in the middle of its own.
            PostgresLinkStore().made_by_hand(linked.tenant, a, LinkKey(source_id=a, target_id=b, kind="k"))
            killed = thread.submit(use)
            _kill_when_waiting(pids.get())
            with pytest.raises(LinksUnavailable):
                killed.result()
        assert linked.links(a) == []
        assert thread.submit(use).result() == UsageTaken(taken=True, made=1, carried=1)
        assert thread.submit(use).result() == UsageTaken(taken=False)
    assert linked.links(a)[0].flow == pytest.approx(0.3)


def _kill_when_waiting(pid: int) -> None:
    with connections[APP].cursor() as cursor:
        while True:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE pid = %s AND NOT granted", [pid])
            if cursor.fetchone()[0]:
                break
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])


def event(tenant: UUID, used: list[UUID]) -> StoredEvent:
    turn = new_id()
    ids = [str(each) for each in used]
    return StoredEvent(
        partition="0",
        position=1,
        sequence=1,
        event_id=new_id(),
        tenant_id=tenant,
        topic="agent.memory",
        type=EVIDENCE_USED,
        version=1,
        key=str(turn),
        payload={"turn_id": str(turn), "namespace": "n", "entries": ids, "used": ids},
        trace_id="t",
        occurred_at=NEW_YEAR,
        recorded_at=NEW_YEAR,
    )


def test_the_consumer_takes_an_event_in_once(linked: Linked) -> None:
    a, b = linked.tell("Ann", "Ben")
    told = event(linked.tenant, [a, b])
    consumer = linked.brain.links.usage()
    assert consumer.types == (EVIDENCE_USED,)
    consumer.handler(told)
    once = linked.links(a)
    consumer.handler(told)
    assert linked.links(a) == once
    assert usage_of(told).name == f"turn:{told.payload['turn_id']}"
