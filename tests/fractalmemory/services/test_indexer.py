"""soma.fractalmemory.services.indexer"""

from collections.abc import Iterator
from uuid import UUID

import pytest

from soma.base.database import tenant_transaction
from soma.fractalmemory.adapters.vector_store_milvus import MilvusStore
from soma.fractalmemory.adapters.vector_store_pgvector import PgvectorStore
from soma.fractalmemory.api import ANY_NAMESPACE, FractalMemory, IndexedRecord
from soma.fractalmemory.models import MemoryRecordRow
from tests.events.waiting import wait_until
from tests.fractalmemory.memories import memory, query, towards
from tests.servers import OpenServer

pytestmark = pytest.mark.req("STORE-001")


def put(memories: FractalMemory, tenant: UUID, *batch: IndexedRecord) -> None:
    with tenant_transaction(tenant):
        memories.upsert(tenant, batch)


def waiting(tenant: UUID) -> int:
    """How many memories no index has yet."""
    with tenant_transaction(tenant):
        return MemoryRecordRow.objects.filter(tenant_id=tenant, indexed_by=None).count()


@pytest.fixture
def memories() -> Iterator[FractalMemory]:
    memories = FractalMemory(PgvectorStore(exact_rows=0))
    memories.start()
    yield memories
    memories.stop()


def test_indexes_what_was_stored(memories: FractalMemory, tenant: UUID, other_tenant: UUID) -> None:
    put(memories, tenant, memory("a"), memory("b", namespace="m"))
    put(memories, other_tenant, memory("a"))
    wait_until(lambda: waiting(tenant) == waiting(other_tenant) == 0)
    put(memories, tenant, memory("c"))
    wait_until(lambda: waiting(tenant) == 0)


def test_indexes_what_another_process_left_over(memories: FractalMemory, tenant: UUID) -> None:
    """A search is enough of a reason to look."""
    put(FractalMemory(PgvectorStore()), tenant, memory("a"))
    with tenant_transaction(tenant):
        assert len(memories.search(tenant, query(towards(0)))) == 1
    wait_until(lambda: waiting(tenant) == 0)


def test_those_who_follow_are_told_of_what_was_indexed_and_of_deletions(
    memories: FractalMemory, tenant: UUID
) -> None:
    told = list[tuple[UUID, str]]()
    memories.follow(lambda tenant_id, namespace: told.append((tenant_id, namespace)))
    kept = memory("a")
    put(memories, tenant, kept)
    wait_until(lambda: (tenant, "n") in told)
    assert waiting(tenant) == 0
    with tenant_transaction(tenant):
        memories.delete(tenant, [kept.record.id])
    wait_until(lambda: (tenant, ANY_NAMESPACE) in told)


def test_does_nothing_unless_it_was_started(tenant: UUID) -> None:
    memories = FractalMemory(PgvectorStore(exact_rows=0))
    put(memories, tenant, memory("a"))
    memories.stop()
    assert waiting(tenant) == 1
    memories.index(tenant, "n")
    assert waiting(tenant) == 0


def test_goes_on_where_an_outage_stopped_it(
    own_server: OpenServer, tenant: UUID, caplog: pytest.LogCaptureFixture
) -> None:
    server = own_server("milvus")
    memories = FractalMemory(MilvusStore(server.address))
    memories.start()
    try:
        put(memories, tenant, memory("before"))
        wait_until(lambda: waiting(tenant) == 0)
        server.stop()
        put(memories, tenant, memory("meanwhile"))
        wait_until(lambda: "memories wait to be indexed: Milvus at" in caplog.text)
        assert waiting(tenant) == 1
        server.start()
        wait_until(lambda: waiting(tenant) == 0)
        assert caplog.text.count("memories wait to be indexed") == 1
    finally:
        memories.stop()
