"""soma.fractalmemory.adapters.link_store_postgres"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from soma.base.database import tenant_transaction
from soma.base.ids import new_id
from soma.fractalmemory.adapters.link_store_postgres import PostgresLinkStore
from soma.fractalmemory.adapters.vector_store_pgvector import PgvectorStore
from soma.fractalmemory.api import (
    HALF_LIFE_DAYS,
    MAX_LINKS,
    USED_TOGETHER,
    KindCount,
    Link,
    LinkKey,
    MemoryGraph,
    Neighbour,
    StoreUnavailable,
    Walk,
)
from soma.fractalmemory.models import MemoryLinkRow
from tests.fractalmemory.memories import NEW_YEAR, memory, query, towards

pytestmark = pytest.mark.req("MEM-004")


@pytest.fixture
def graph() -> MemoryGraph:
    return MemoryGraph(PostgresLinkStore())


def memories(tenant: UUID, *keys: str) -> list[UUID]:
    """Memories of the tenant with these keys, stored; their ids."""
    batch = [memory(key) for key in keys]
    with tenant_transaction(tenant):
        PgvectorStore().upsert(tenant, batch)
    return [each.record.id for each in batch]


def link(source: UUID, target: UUID, conductance: float = 1.0, kind: str = "next") -> Link:
    key = LinkKey(source_id=source, target_id=target, kind=kind)
    return Link(key=key, conductance=conductance, created_at=NEW_YEAR)


def store(graph: MemoryGraph, tenant: UUID, *links: Link) -> int:
    with tenant_transaction(tenant):
        return graph.link(tenant, links)


def neighbours(graph: MemoryGraph, tenant: UUID, ids: Sequence[UUID], limit: int = 10) -> list[Neighbour]:
    with tenant_transaction(tenant):
        return graph.neighbours(tenant, ids, limit)


def count(tenant: UUID) -> int:
    with tenant_transaction(tenant):
        return MemoryLinkRow.objects.count()


def test_neighbours_come_from_both_directions_best_first(graph: MemoryGraph, tenant: UUID) -> None:
    a, b, c, d = memories(tenant, "a", "b", "c", "d")
    assert (
        store(graph, tenant, link(a, b, 0.5), link(c, a, 0.9, "same"), link(a, d, 0.1), link(b, d, 2.0)) == 4
    )
    assert neighbours(graph, tenant, [a]) == [
        Neighbour(of=a, record_id=c, kind="same", conductance=0.9, outgoing=False),
        Neighbour(of=a, record_id=b, kind="next", conductance=0.5, outgoing=True),
        Neighbour(of=a, record_id=d, kind="next", conductance=0.1, outgoing=True),
    ]
    assert [each.record_id for each in neighbours(graph, tenant, [a], limit=2)] == [c, b]


def test_each_memory_has_its_own_limit(graph: MemoryGraph, tenant: UUID) -> None:
    a, b, c = memories(tenant, "a", "b", "c")
    store(graph, tenant, link(a, b, 0.1), link(a, c, 0.2), link(b, c, 0.3))
    found = neighbours(graph, tenant, [a, b, new_id()], limit=1)
    assert {(each.of, each.record_id) for each in found} == {(a, c), (b, c)}
    assert neighbours(graph, tenant, []) == neighbours(graph, tenant, [a], limit=0) == []


def test_a_link_that_there_is_takes_the_new_conductance(graph: MemoryGraph, tenant: UUID) -> None:
    a, b = memories(tenant, "a", "b")
    store(graph, tenant, link(a, b, 0.1), link(a, b, 0.2))
    store(graph, tenant, link(a, b, 0.7))
    assert [each.conductance for each in neighbours(graph, tenant, [a])] == [0.7]
    assert count(tenant) == 1


def test_kinds_and_directions_are_links_of_their_own(graph: MemoryGraph, tenant: UUID) -> None:
    a, b = memories(tenant, "a", "b")
    store(graph, tenant, link(a, b), link(b, a), link(a, b, kind="same"), link(a, a))
    assert len(neighbours(graph, tenant, [b])) == 3
    assert len(neighbours(graph, tenant, [a])) == 4
    with tenant_transaction(tenant):
        assert graph.unlink(tenant, [link(a, b).key, link(a, b, kind="none").key]) == 1
        assert graph.unlink(tenant, []) == 0
    assert len(neighbours(graph, tenant, [b])) == 2


def test_a_link_goes_with_either_memory(graph: MemoryGraph, tenant: UUID) -> None:
    a, b, c = memories(tenant, "a", "b", "c")
    store(graph, tenant, link(a, b), link(b, c), link(c, a))
    with tenant_transaction(tenant):
        PgvectorStore().delete(tenant, [b])
    assert [each.record_id for each in neighbours(graph, tenant, [a])] == [c]
    assert count(tenant) == 1


@pytest.mark.req("AUTH-004")
def test_no_link_leads_to_or_is_seen_by_another_tenant(
    graph: MemoryGraph, tenant: UUID, other_tenant: UUID
) -> None:
    a, b = memories(tenant, "a", "b")
    [theirs] = memories(other_tenant, "theirs")
    nobody = new_id()
    links = [link(a, theirs), link(theirs, a), link(a, nobody), link(a, b)]
    assert store(graph, tenant, *links) == 1
    assert store(graph, other_tenant, link(theirs, a), link(a, b)) == 0
    assert neighbours(graph, other_tenant, [a, b, theirs]) == []
    with tenant_transaction(other_tenant):
        assert graph.unlink(tenant, [link(a, b).key]) == 0
    assert count(tenant) == 1
    assert count(other_tenant) == 0


def test_a_lost_connection_is_an_unavailable_store(graph: MemoryGraph, tenant: UUID) -> None:
    def ask_on_a_closed_connection() -> None:
        with tenant_transaction(tenant):
            connection.connection.close()
            graph.neighbours(tenant, [tenant], 1)

    with pytest.raises(StoreUnavailable):
        ask_on_a_closed_connection()


MONTH = timedelta(days=HALF_LIFE_DAYS)


def earned(source: UUID, target: UUID, conductance: float, rest: float = 0.0) -> Link:
    key = LinkKey(source_id=source, target_id=target, kind=USED_TOGETHER)
    return Link(key=key, conductance=conductance, created_at=NEW_YEAR, rest=rest, flow=0.25)


def store_at(graph: MemoryGraph, tenant: UUID, at: datetime, *links: Link) -> int:
    with tenant_transaction(tenant):
        return graph.link(tenant, links, at)


def gone_along(graph: MemoryGraph, tenant: UUID, *seeds: UUID, **changes: Any) -> list[Link]:
    values: dict[str, Any] = {"namespace": "n", "seeds": seeds, "hops": 1, "at": NEW_YEAR, **changes}
    with tenant_transaction(tenant):
        return graph.walk(tenant, Walk(**values))


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(0.001, 10.0), st.floats(0.0, 10.0), st.floats(0.0, 400.0))
def test_without_use_a_link_comes_back_to_its_rest(
    graph: MemoryGraph, tenant: UUID, start: float, rest: float, days: float
) -> None:
    a, b = memories(tenant, str(new_id()), str(new_id()))
    store_at(graph, tenant, NEW_YEAR, earned(a, b, start, rest))
    later = NEW_YEAR + timedelta(days=days)
    [link] = gone_along(graph, tenant, a, at=later)
    assert link.conductance == pytest.approx(rest + (start - rest) * 0.5 ** (days / HALF_LIFE_DAYS), abs=1e-9)
    assert (link.resting, link.flow) == (rest, 0.25)
    with tenant_transaction(tenant):
        [near] = graph.neighbours(tenant, [a], 1, later)
    assert near.conductance == link.conductance


def test_a_link_given_by_hand_does_not_fade(graph: MemoryGraph, tenant: UUID) -> None:
    a, b = memories(tenant, "a", "b")
    store_at(graph, tenant, NEW_YEAR, link(a, b, 0.7))
    assert gone_along(graph, tenant, a, at=NEW_YEAR + 100 * MONTH)[0].conductance == 0.7


def test_asked_of_the_past_a_link_is_what_it_is(graph: MemoryGraph, tenant: UUID) -> None:
    a, b = memories(tenant, "a", "b")
    store_at(graph, tenant, NEW_YEAR, earned(a, b, 2.0))
    assert gone_along(graph, tenant, a, at=NEW_YEAR - MONTH)[0].conductance == 2.0


def test_a_walk_goes_so_far_and_each_hop_best_first(graph: MemoryGraph, tenant: UUID) -> None:
    a, b, c, d, e = memories(tenant, *"abcde")
    store(graph, tenant, link(a, b, 0.1), link(c, a, 0.2), link(b, d), link(d, e), link(a, a, 9.0))
    one, two, three = (gone_along(graph, tenant, a, hops=hops) for hops in (1, 2, 3))
    assert [(each.key.source_id, each.key.target_id) for each in one] == [(c, a), (a, b)]
    assert [(each.key.source_id, each.key.target_id) for each in two[2:]] == [(b, d)]
    assert [(each.key.source_id, each.key.target_id) for each in three[3:]] == [(d, e)]
    assert gone_along(graph, tenant, a, hops=0) == gone_along(graph, tenant) == []


def test_a_walk_is_bounded_by_fanout_and_by_what_is_known(graph: MemoryGraph, tenant: UUID) -> None:
    hub, *leaves = memories(tenant, "hub", *(str(number) for number in range(10)))
    store(graph, tenant, *(link(hub, leaf, 0.1 + number) for number, leaf in enumerate(leaves)))
    best = gone_along(graph, tenant, hub, fanout=3)
    assert [each.conductance for each in best] == [9.1, 8.1, 7.1]
    assert len(gone_along(graph, tenant, hub, limit=5)) == 4


def test_a_walk_steps_on_nothing_that_the_query_leaves_out(graph: MemoryGraph, tenant: UUID) -> None:
    batch = [
        memory("a"),
        memory("elsewhere", namespace="m"),
        memory("later", occurred_at=NEW_YEAR + timedelta(days=2)),
        memory("other kind", provenance={"trace_id": "t", "kind": "question"}),
        memory("own", provenance={"trace_id": "t", "kind": "statement", "input_hash": "h"}),
        memory("good", provenance={"trace_id": "t", "kind": "statement"}),
        memory("behind", provenance={"trace_id": "t", "kind": "statement"}),
    ]
    with tenant_transaction(tenant):
        PgvectorStore().upsert(tenant, batch)
    a, elsewhere, later, question, own, good, behind = (each.record.id for each in batch)
    first = [link(a, each) for each in (elsewhere, later, question, own, good)]
    store(graph, tenant, *first, *(link(each.key.target_id, behind, kind="on") for each in first[:-1]))
    within = query(
        towards(0),
        filters={"kind": ("statement",)},
        exclude_source_hashes=("h",),
        as_of=NEW_YEAR + timedelta(days=1),
    )
    found = gone_along(graph, tenant, a, hops=3, within=within)
    assert [each.key for each in found] == [link(a, good).key]


def test_links_of_a_memory_are_bounded_and_those_of_usage_go_first(graph: MemoryGraph, tenant: UUID) -> None:
    hub, *leaves = memories(tenant, "hub", *(str(number) for number in range(MAX_LINKS + 3)))
    by_hand, used = leaves[:10], leaves[10:]
    store(graph, tenant, *(link(hub, leaf, 0.001) for leaf in by_hand))
    store_at(graph, tenant, NEW_YEAR, *(earned(leaf, hub, 1.0 + n) for n, leaf in enumerate(used)))
    found = gone_along(graph, tenant, hub, fanout=1000, limit=1000)
    assert len(found) == MAX_LINKS
    kept = {each.key.source_id for each in found} | {each.key.target_id for each in found}
    assert set(by_hand) | set(used[3:]) | {hub} == kept  # the three weakest of usage gave way


def test_the_weakest_by_now_gives_way_not_the_weakest_once(graph: MemoryGraph, tenant: UUID) -> None:
    hub, *leaves = memories(tenant, "hub", *(str(number) for number in range(MAX_LINKS + 1)))
    old, *others = leaves
    store_at(graph, tenant, NEW_YEAR - 10 * MONTH, earned(hub, old, 10.0))
    store_at(graph, tenant, NEW_YEAR, *(earned(hub, leaf, 0.5) for leaf in others))
    reached = {each.key.target_id for each in gone_along(graph, tenant, hub, fanout=1000)}
    assert reached == set(others)


def test_links_by_hand_are_counted_but_for_the_one_in_question(graph: MemoryGraph, tenant: UUID) -> None:
    a, b, c = memories(tenant, "a", "b", "c")
    store(graph, tenant, link(a, b), link(c, a), earned(a, c, 1.0))
    with tenant_transaction(tenant):
        assert graph.made_by_hand(tenant, a, link(b, c).key) == 2
        assert graph.made_by_hand(tenant, a, link(a, b).key) == 1


def test_a_use_is_taken_in_once_and_not_at_all_if_it_fails(graph: MemoryGraph, tenant: UUID) -> None:
    def fail_behind_it() -> None:
        with tenant_transaction(tenant):
            assert graph.take_in(tenant, "turn:1", NEW_YEAR)
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        fail_behind_it()
    with tenant_transaction(tenant):
        assert graph.take_in(tenant, "turn:1", NEW_YEAR)
    with tenant_transaction(tenant):
        assert not graph.take_in(tenant, "turn:1", NEW_YEAR)
        assert graph.take_in(tenant, "turn:2", NEW_YEAR)


def test_settling_writes_what_there_is_and_nothing_else(graph: MemoryGraph, tenant: UUID) -> None:
    a, b, c = memories(tenant, "a", "b", "c")
    store_at(graph, tenant, NEW_YEAR, earned(a, b, 1.0), link(b, c, 0.5))
    with tenant_transaction(tenant):
        graph.settle(tenant, [earned(a, b, 3.0), earned(a, c, 3.0)], NEW_YEAR + MONTH)
        graph.settle(tenant, [], NEW_YEAR)
    found = gone_along(graph, tenant, b, at=NEW_YEAR + MONTH)
    assert [(each.conductance, each.flow) for each in found] == [(3.0, 0.25), (0.5, 0.0)]
    assert gone_along(graph, tenant, b, at=NEW_YEAR + 2 * MONTH)[0].conductance == pytest.approx(1.5)


def test_kinds_are_counted_by_namespace(graph: MemoryGraph, tenant: UUID) -> None:
    a, b, c = memories(tenant, "a", "b", "c")
    store_at(graph, tenant, NEW_YEAR, link(a, b, 0.5), link(b, c, 0.25), earned(a, c, 2.0))
    with tenant_transaction(tenant):
        assert graph.kinds(tenant, "n", NEW_YEAR + MONTH) == [
            KindCount(kind="next", links=2, conductance=0.75),
            KindCount(kind=USED_TOGETHER, links=1, conductance=1.0),
        ]
        assert graph.kinds(tenant, "elsewhere", NEW_YEAR) == []


@pytest.mark.req("AUTH-004")
def test_nobody_walks_settles_or_counts_in_another_tenant(
    graph: MemoryGraph, tenant: UUID, other_tenant: UUID
) -> None:
    a, b = memories(tenant, "a", "b")
    store_at(graph, tenant, NEW_YEAR, link(a, b, 0.5))
    assert gone_along(graph, other_tenant, a, b, hops=3) == []
    with tenant_transaction(other_tenant):
        graph.settle(other_tenant, [link(a, b, 9.0)], NEW_YEAR)
        graph.settle(tenant, [link(a, b, 9.0)], NEW_YEAR)
        assert graph.kinds(tenant, "n", NEW_YEAR) == []
        assert graph.made_by_hand(tenant, a, link(b, a).key) == 0
    assert gone_along(graph, tenant, a)[0].conductance == 0.5
