"""soma.fractalmemory.adapters.vector_store_pgvector"""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from django.db import ProgrammingError, connection, transaction
from django.db.models import F

from soma.base.database import tenant_transaction
from soma.fractalmemory.adapters.vector_store_pgvector import PgvectorStore
from soma.fractalmemory.api import StoreUnavailable
from soma.fractalmemory.models import POSTGRES_INDEX, MemoryRecordRow, SketchBlockRow
from soma.project.stack.server import Server
from tests.fractalmemory.contract_vector_store import Store, VectorStoreContract
from tests.fractalmemory.contract_vector_store_outage import VectorStoreOutageContract
from tests.fractalmemory.memories import memory, query, towards
from tests.fractalmemory.own_postgres import OwnPostgres
from tests.fractalmemory.scopes import own_connection
from tests.servers import OpenServer


@pytest.fixture
def vectors() -> Callable[[UUID], int]:
    """How many vectors there are of a tenant: each is in its memory's row."""

    def count(tenant: UUID) -> int:
        with own_connection(tenant):
            return MemoryRecordRow.objects.filter(tenant_id=tenant).count()

    return count


class TestScan(VectorStoreContract):
    """Small namespaces: row by row."""

    @pytest.fixture
    def store(self) -> Store:
        return Store(PgvectorStore(), own_connection, follow=True, exact=True)


class TestIndex(VectorStoreContract):
    """Large namespaces: by the index."""

    @pytest.fixture
    def store(self) -> Store:
        return Store(PgvectorStore(exact_rows=0), own_connection, follow=True, exact=False)


def indexed(tenant: UUID) -> int:
    """How many of the tenant's memories are in the index."""
    with tenant_transaction(tenant):
        return MemoryRecordRow.objects.filter(tenant_id=tenant, indexed_by=POSTGRES_INDEX).count()


def index_all(store: PgvectorStore, tenant: UUID) -> None:
    with tenant_transaction(tenant):
        while store.index(tenant, "n", 2):
            pass


@pytest.mark.req("STORE-001")
def test_what_few_memories_pass_is_found_however_many_are_nearer(tenant: UUID) -> None:
    store, origin = PgvectorStore(exact_rows=0, compared=20), {"kind": "question"}
    batch = [memory(f"c{i}", towards(0, aside=1e-3 * i)) for i in range(200)]
    batch += [memory(f"k{i}", towards(0, aside=1.0 + 0.1 * i), provenance=origin) for i in range(3)]
    with tenant_transaction(tenant):
        store.upsert(tenant, batch)
    with tenant_transaction(tenant):
        while store.index(tenant, "n", 100):
            pass
    with tenant_transaction(tenant):
        found = store.search(tenant, query(towards(0), limit=2, filters={"kind": ("question",)}))
    assert [scored.record.key for scored in found] == ["k0", "k1"]


@pytest.mark.req("STORE-001")
def test_a_namespace_is_indexed_when_it_is_large(tenant: UUID) -> None:
    store = PgvectorStore(exact_rows=5)
    with tenant_transaction(tenant):
        store.upsert(tenant, [memory(f"k{i}") for i in range(5)])
    index_all(store, tenant)
    assert indexed(tenant) == 0
    with tenant_transaction(tenant):
        store.upsert(tenant, [memory("k5")])
    index_all(store, tenant)
    assert indexed(tenant) > 0


@pytest.mark.req("STORE-001")
def test_a_search_of_a_large_namespace_reads_what_its_blocks_name(tenant: UUID) -> None:
    store = PgvectorStore(exact_rows=0)
    with tenant_transaction(tenant):
        store.upsert(tenant, [memory(f"k{i}", towards(0, aside=0.1 * i)) for i in range(8)])
    index_all(store, tenant)
    with tenant_transaction(tenant):
        assert len(store.search(tenant, query(towards(0), limit=8))) == 8
    with tenant_transaction(tenant):
        SketchBlockRow.objects.update(entries=b"", version=F("version") + 1)
    with tenant_transaction(tenant):
        assert store.search(tenant, query(towards(0), limit=8)) == []


@pytest.mark.req("STORE-001")
def test_what_waits_is_found_beside_what_is_indexed(tenant: UUID) -> None:
    store = PgvectorStore(exact_rows=0)
    with tenant_transaction(tenant):
        store.upsert(tenant, [memory(f"old{i}", towards(0, aside=1.0 + 0.1 * i)) for i in range(3)])
    index_all(store, tenant)
    with tenant_transaction(tenant):
        store.upsert(tenant, [memory("new", towards(0)), memory("newer", towards(0, aside=1.05))])
        found = store.search(tenant, query(towards(0), limit=3))
    assert indexed(tenant) == 3
    assert [scored.record.key for scored in found] == ["new", "old0", "newer"]


@pytest.mark.req("STORE-001")
def test_a_namespace_that_was_indexed_since_it_was_last_looked_at_is_searched_whole(tenant: UUID) -> None:
    store = PgvectorStore(exact_rows=0)
    with tenant_transaction(tenant):
        store.upsert(tenant, [memory("old", towards(0, aside=1.0))])
        store.search(tenant, query(towards(0)))
    index_all(PgvectorStore(exact_rows=0), tenant)
    with tenant_transaction(tenant):
        store.upsert(tenant, [memory("new", towards(0))])
        found = store.search(tenant, query(towards(0)))
    assert [scored.record.key for scored in found] == ["new", "old"]


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


class TestOutage(VectorStoreOutageContract):
    """PostgreSQL is lost."""

    @pytest.fixture
    def server(self, own_server: OpenServer) -> Server:
        return own_server("postgres")

    @pytest.fixture
    def store(self, server: Server, tmp_path: Path) -> Iterator[Store]:
        own = OwnPostgres(server, tmp_path)
        yield Store(PgvectorStore(using=own.alias, exact_rows=0), own.scope, follow=True, exact=False)
        own.forget()
