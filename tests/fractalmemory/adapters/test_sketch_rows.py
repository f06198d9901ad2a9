"""soma.fractalmemory.adapters.sketch_rows and sketch_cache: blocks are what the memories are."""

from uuid import UUID

import numpy as np
import pytest
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from soma.base.database import tenant_transaction
from soma.base.ids import new_id
from soma.fractalmemory.adapters.sketch_cache import NamespaceSketches, SketchCache
from soma.fractalmemory.adapters.sketch_rows import ENTRY
from soma.fractalmemory.adapters.vector_store_pgvector import PgvectorStore
from soma.fractalmemory.kernels.sketch_block import entry_bytes
from soma.fractalmemory.kernels.sketches import RATIO, sketches_of
from soma.fractalmemory.models import DIMENSIONS, POSTGRES_INDEX, MemoryRecordRow, SketchBlockRow
from tests.fractalmemory.memories import memory, query, towards

pytestmark = pytest.mark.req("STORE-001")


@pytest.fixture
def store() -> PgvectorStore:
    return PgvectorStore(exact_rows=0)


def put(store: PgvectorStore, tenant: UUID, *keys: str, aside: float = 0.1) -> list[UUID]:
    batch = [memory(key, towards(0, aside=aside * place)) for place, key in enumerate(keys)]
    with tenant_transaction(tenant):
        store.upsert(tenant, batch)
    index(store, tenant)
    with tenant_transaction(tenant):
        rows = MemoryRecordRow.objects.filter(key__in=keys).values_list("key", "id")
        ids = dict(rows)
    return [ids[key] for key in keys]


def index(store: PgvectorStore, tenant: UUID) -> None:
    with tenant_transaction(tenant):
        while store.index(tenant, "n", 3):
            pass


def entries(tenant: UUID) -> set[bytes]:
    """What the blocks hold."""
    with tenant_transaction(tenant):
        blocks = [bytes(block.entries) for block in SketchBlockRow.objects.all()]
    size = entry_bytes(DIMENSIONS)
    return {block[start : start + size] for block in blocks for start in range(0, len(block), size)}


def expected(tenant: UUID) -> set[bytes]:
    """What the memories that are said to be in blocks are."""
    with tenant_transaction(tenant), connection.cursor() as cursor:
        cursor.execute(f"SELECT {ENTRY} FROM memory_record WHERE indexed_by = %s", [POSTGRES_INDEX])
        return {bytes(entry) for (entry,) in cursor.fetchall()}


def keys(store: PgvectorStore, tenant: UUID, limit: int = 10) -> list[str]:
    """What is found; the ids are asked for first, with what this store knew before."""
    asked = query(towards(0), limit=limit)
    with tenant_transaction(tenant):
        ids, found = store.nearest(tenant, asked), store.search(tenant, asked)
    assert ids == [each.record.id for each in found]
    return [each.record.key for each in found]


def test_blocks_hold_what_was_indexed_and_nothing_that_changed_or_went(
    store: PgvectorStore, tenant: UUID
) -> None:
    ids = put(store, tenant, *(f"k{place}" for place in range(8)))
    assert len(entries(tenant)) == 8
    assert entries(tenant) == expected(tenant)
    with tenant_transaction(tenant):
        store.delete(tenant, ids[:2])
        store.upsert(tenant, [memory("k4", towards(5), content="something else")])
    assert len(entries(tenant)) == 5
    assert entries(tenant) == expected(tenant)
    index(store, tenant)
    assert len(entries(tenant)) == 6
    assert entries(tenant) == expected(tenant)


def test_the_server_sketches_vectors_as_the_kernels_do(store: PgvectorStore, tenant: UUID) -> None:
    vectors = np.random.default_rng(2).standard_normal((40, DIMENSIONS)).astype(np.float16).astype(np.float32)
    batch = [memory(f"k{place}", vector) for place, vector in enumerate(vectors)]
    with tenant_transaction(tenant):
        store.upsert(tenant, batch)
    index(store, tenant)
    with tenant_transaction(tenant):
        ids = {row.key: row.id.bytes for row in MemoryRecordRow.objects.all()}
    found = {each[:16]: each[16:] for each in entries(tenant)}

    got = np.array([np.frombuffer(found[ids[f"k{place}"]], np.uint8) for place in range(len(vectors))])

    differ, half = np.bitwise_count(got ^ sketches_of(vectors)), DIMENSIONS // 8
    assert differ[:, :half].sum() == 0
    assert differ[:, half:].sum() < 0.002 * vectors.size, "but for what half precision puts on the other side"
    assert 0.35 < np.bitwise_count(got[:, half:]).sum() / vectors.size < 0.5


def test_what_another_process_stored_or_deleted_is_seen_at_once(store: PgvectorStore, tenant: UUID) -> None:
    other = PgvectorStore(exact_rows=0)
    ids = put(store, tenant, "a", "b", "c")
    assert keys(store, tenant) == ["a", "b", "c"]
    put(other, tenant, "d", aside=0.0)
    with tenant_transaction(tenant):
        other.delete(tenant, [ids[1]])
    assert keys(store, tenant) == keys(other, tenant) == keys(PgvectorStore(exact_rows=0), tenant)
    assert sorted(keys(store, tenant)) == ["a", "c", "d"]


def test_what_a_transaction_took_back_is_found_again(store: PgvectorStore, tenant: UUID) -> None:
    ids = put(store, tenant, "a", "b", "c")
    with tenant_transaction(tenant):
        store.delete(tenant, ids[:1])
        assert [each.record.key for each in store.search(tenant, query(towards(0), limit=9))] == ["b", "c"]
        transaction.set_rollback(True)
    put(store, tenant, "d", aside=0.0)
    assert sorted(keys(store, tenant)) == ["a", "b", "c", "d"]


def test_a_namespace_that_was_emptied_and_filled_again_is_the_new_one(
    store: PgvectorStore, tenant: UUID
) -> None:
    ids = put(store, tenant, "a", "b")
    assert keys(store, tenant) == ["a", "b"]
    with tenant_transaction(tenant):
        store.delete(tenant, ids)
    put(PgvectorStore(exact_rows=0), tenant, "c")
    assert keys(store, tenant) == ["c"]
    assert entries(tenant) == expected(tenant)


def test_nobody_sees_anothers_blocks(store: PgvectorStore, tenant: UUID, other_tenant: UUID) -> None:
    put(store, tenant, "a")
    assert keys(store, tenant) == ["a"]
    assert entries(other_tenant) == set()
    with tenant_transaction(other_tenant):
        assert store.search(tenant, query(towards(0))) == []


@given(
    st.lists(
        st.dictionaries(
            st.integers(0, 20), st.lists(st.integers(1, 2**60), unique=True, max_size=4), max_size=6
        ),
        max_size=5,
    )
)
def test_a_namespace_is_what_its_blocks_last_were(changes: list[dict[int, list[int]]]) -> None:
    """Whichever blocks change together, and whatever else lies in one piece with them."""
    known, expected = NamespaceSketches(), dict[int, list[UUID]]()
    for version, change in enumerate(changes, 1):
        blocks = {number: [UUID(int=(number << 64) + each) for each in ids] for number, ids in change.items()}
        expected |= blocks
        entries = {n: b"".join(i.bytes + i.bytes[::-1] * 6 for i in ids) for n, ids in blocks.items()}
        known = known.after([(n, version, each) for n, each in entries.items()], DIMENSIONS)
    everything = {each.hex: each for ids in expected.values() for each in ids}
    assert known.size == len(everything)
    assert set(known.near(np.ones(DIMENSIONS, np.float32), len(everything) + 1)) == set(everything)
    if everything:
        sought = max(everything)
        bits = np.unpackbits(np.frombuffer(everything[sought].bytes[::-1] * 3, np.uint8))
        assert sought in known.near(np.where(bits, RATIO, -1.0).astype(np.float32), 1)


def sketches(version: int, size: int) -> NamespaceSketches:
    block = b"".join(new_id().bytes + bytes(DIMENSIONS // 4) for _ in range(size))
    return NamespaceSketches().after([(0, version, block)], DIMENSIONS)


def test_the_cache_keeps_the_newer_and_drops_what_was_not_used() -> None:
    cache, tenant = SketchCache(capacity=10), new_id()
    cache.put(tenant, "a", sketches(2, 4))
    cache.put(tenant, "a", sketches(1, 3))
    assert cache.get(tenant, "a").size == 4
    cache.put(tenant, "b", sketches(1, 5))
    cache.get(tenant, "a")
    cache.put(tenant, "c", sketches(1, 5))
    assert [cache.get(tenant, name).size for name in "abc"] == [4, 0, 5]
