"""soma.fractalmemory.adapters.vector_store_pgvector"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from django.db import ProgrammingError, connection, transaction

from soma.base.database import tenant_transaction
from soma.fractalmemory.adapters.vector_store_pgvector import PgvectorStore
from soma.fractalmemory.api import FractalMemory, StoreUnavailable
from soma.fractalmemory.models import MemoryRecordRow
from tests.fractalmemory.contract_vector_store import Store, VectorStoreContract
from tests.fractalmemory.memories import memory, query, towards


@contextmanager
def own_connection(tenant: UUID) -> Iterator[None]:
    """The tenant's transaction, on a connection that goes with the thread."""
    try:
        with tenant_transaction(tenant):
            yield
    finally:
        connection.close()


class TestExactSearch(VectorStoreContract):
    """Small namespaces: row by row."""

    @pytest.fixture
    def store(self) -> Store:
        return Store(FractalMemory(PgvectorStore()), own_connection)


@contextmanager
def index_only(tenant: UUID) -> Iterator[None]:
    """The tenant's transaction, in which the planner cannot answer a search but by the vector index, as it
    would not on so few rows."""
    try:
        with tenant_transaction(tenant):
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL enable_sort = off")
            yield
    finally:
        connection.close()


class TestIndexSearch(VectorStoreContract):
    """Large namespaces: by the index."""

    @pytest.fixture
    def store(self) -> Store:
        return Store(FractalMemory(PgvectorStore(exact_rows=0)), index_only)


@pytest.mark.req("STORE-001")
def test_a_scan_answers_where_the_index_gave_up(tenant: UUID, other_tenant: UUID) -> None:
    store = PgvectorStore(exact_rows=0)
    with tenant_transaction(other_tenant):
        store.upsert(other_tenant, [memory(f"c{i}", towards(0, aside=1e-3 * i)) for i in range(200)])
    with index_only(tenant):
        store.upsert(tenant, [memory(f"k{i}", towards(0, aside=1.0 + 0.1 * i)) for i in range(5)])
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL hnsw.max_scan_tuples = 1")
            cursor.execute("SET LOCAL hnsw.ef_search = 10")
        found = store.search(tenant, query(towards(0), limit=5))
    assert [scored.record.key for scored in found] == ["k0", "k1", "k2", "k3", "k4"]


@pytest.mark.req("STORE-001")
@pytest.mark.parametrize(("exact_rows", "by_index"), [(5, False), (4, True)])
def test_the_size_of_a_namespace_decides_how_it_is_searched(
    tenant: UUID, exact_rows: int, by_index: bool
) -> None:
    store = PgvectorStore(exact_rows=exact_rows)
    with tenant_transaction(tenant):
        store.upsert(tenant, [memory(f"k{i}") for i in range(5)])
        store.search(tenant, query(towards(0)))
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('hnsw.iterative_scan', true)")
            assert (cursor.fetchone() == ("strict_order",)) is by_index


@pytest.mark.req("STORE-001")
def test_a_namespace_that_has_grown_since_it_was_small_is_searched_whole(tenant: UUID) -> None:
    store = PgvectorStore(exact_rows=1)
    with tenant_transaction(tenant):
        store.upsert(tenant, [memory("old", towards(0, aside=1.0))])
        store.search(tenant, query(towards(0)))
        store.upsert(tenant, [memory("new", towards(0)), memory("newer", towards(0, aside=2.0))])
        found = store.search(tenant, query(towards(0)))
    assert [scored.record.key for scored in found] == ["new", "old", "newer"]


@pytest.mark.req("AUTH-004")
def test_without_a_tenant_there_is_no_row(tenant: UUID) -> None:
    with tenant_transaction(tenant):
        PgvectorStore().upsert(tenant, [memory("a")])
    with transaction.atomic():
        assert PgvectorStore().count(tenant, "n") == 0
        assert MemoryRecordRow.objects.count() == 0


@pytest.mark.req("AUTH-004")
def test_a_tenants_transaction_cannot_be_talked_into_another(tenant: UUID, other_tenant: UUID) -> None:
    with tenant_transaction(tenant):
        PgvectorStore().upsert(tenant, [memory("a")])
    with tenant_transaction(other_tenant):
        assert PgvectorStore().search(tenant, query(towards(0))) == []
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            PgvectorStore().upsert(tenant, [memory("b")])


@pytest.mark.req("STORE-001")
def test_a_lost_connection_is_an_unavailable_store(tenant: UUID) -> None:
    def search_on_a_closed_connection() -> None:
        with tenant_transaction(tenant):
            connection.connection.close()
            PgvectorStore().search(tenant, query(towards(0)))

    with pytest.raises(StoreUnavailable):
        search_on_a_closed_connection()
