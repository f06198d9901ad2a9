"""soma.fractalmemory.adapters.link_store_postgres"""

from collections.abc import Sequence
from uuid import UUID

import pytest
from django.db import connection

from soma.base.database import tenant_transaction
from soma.base.ids import new_id
from soma.fractalmemory.adapters.link_store_postgres import PostgresLinkStore
from soma.fractalmemory.adapters.vector_store_pgvector import PgvectorStore
from soma.fractalmemory.api import Link, LinkKey, MemoryGraph, Neighbour, StoreUnavailable
from soma.fractalmemory.models import MemoryLinkRow
from tests.fractalmemory.memories import NEW_YEAR, memory

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
