"""What every VectorStore must do. A technology's test module subclasses VectorStoreContract."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import pytest

from soma.base.ids import new_id
from soma.fractalmemory.api import FractalMemory, IndexedRecord, MemoryRecord, Outcome, WrongDimensions
from tests.fractalmemory.memories import NEW_YEAR, memory, query, towards

T = TypeVar("T")
Scope = Callable[[UUID], AbstractContextManager[None]]


class Store:
    """The store under test, each call in a scope of its own."""

    def __init__(self, memories: FractalMemory, scope: Scope) -> None:
        self._memories = memories
        self._scope = scope

    def call(self, tenant: UUID, use: Callable[[FractalMemory], T]) -> T:
        with self._scope(tenant):
            return use(self._memories)

    def put(self, tenant: UUID, *batch: IndexedRecord) -> list[Outcome]:
        return [upserted.outcome for upserted in self.call(tenant, lambda m: m.upsert(tenant, batch))]

    def keys(self, tenant: UUID, axis: int = 0, **changes: Any) -> list[str]:
        found = self.call(tenant, lambda m: m.search(tenant, query(towards(axis), **changes)))
        return [scored.record.key for scored in found]

    def count(self, tenant: UUID, namespace: str = "n") -> int:
        return self.call(tenant, lambda m: m.count(tenant, namespace))

    def get(self, tenant: UUID, ids: Sequence[UUID]) -> list[MemoryRecord]:
        return self.call(tenant, lambda m: m.get(tenant, ids))

    def delete(self, tenant: UUID, ids: Sequence[UUID]) -> int:
        return self.call(tenant, lambda m: m.delete(tenant, ids))


@pytest.mark.req("STORE-001")
class VectorStoreContract:
    """Needs fixtures `store` (a Store) and `tenant`, `other_tenant`."""

    def test_finds_the_nearest_first_with_their_cosines(self, store: Store, tenant: UUID) -> None:
        store.put(tenant, *(memory(f"k{i}", towards(0, aside=0.3 * i)) for i in (3, 1, 0, 2)))
        found = store.call(tenant, lambda m: m.search(tenant, query(towards(0))))
        assert [scored.record.key for scored in found] == ["k0", "k1", "k2", "k3"]
        assert [scored.similarity for scored in found] == pytest.approx(
            [1.0, 0.9553, 0.8253, 0.6216], abs=1e-3
        )

    def test_gives_no_more_than_asked_and_knows_opposites(self, store: Store, tenant: UUID) -> None:
        store.put(tenant, memory("same"), memory("opposite", -towards(0)))
        assert store.keys(tenant, limit=1) == ["same"]
        assert store.keys(tenant, limit=0) == []
        found = store.call(tenant, lambda m: m.search(tenant, query(towards(0))))
        assert found[1].similarity == pytest.approx(-1.0, abs=1e-3)

    def test_an_empty_store_finds_nothing(self, store: Store, tenant: UUID) -> None:
        assert store.keys(tenant) == []
        assert store.count(tenant) == 0

    def test_keeps_everything_of_a_memory(self, store: Store, tenant: UUID) -> None:
        kept = memory(
            "schlüssel/🗝",
            content="Grüße, 世界\n'quoted' \"twice\" \\ %s {}",
            role="assistant",
            speaker="Zoë",
            importance=0.123456789,
            occurred_at=NEW_YEAR + timedelta(microseconds=123456),
            provenance={"trace_id": "t", "source_document": "d", "page": 3, "draft": True, "note": None},
        )
        store.put(tenant, kept)
        assert store.get(tenant, [kept.record.id, new_id()]) == [kept.record]

    def test_the_same_batch_again_changes_nothing(self, store: Store, tenant: UUID) -> None:
        batch = [memory("a"), memory("b")]
        assert store.put(tenant, *batch) == [Outcome.STORED, Outcome.STORED]
        again = [replace(each, record=replace(each.record, id=new_id())) for each in batch]
        assert store.put(tenant, *again) == [Outcome.UNCHANGED, Outcome.UNCHANGED]
        assert store.count(tenant) == 2
        assert store.get(tenant, [each.record.id for each in again]) == []

    def test_a_known_key_is_rewritten_in_place(self, store: Store, tenant: UUID) -> None:
        first = memory("a", towards(0))
        store.put(tenant, first)
        second = memory("a", towards(5), content="Something else", created_at=NEW_YEAR + timedelta(days=1))
        assert store.put(tenant, second) == [Outcome.UPDATED]
        [kept] = store.get(tenant, [first.record.id])
        assert (kept.content, kept.created_at) == ("Something else", NEW_YEAR)
        found = store.call(tenant, lambda m: m.search(tenant, query(towards(5))))
        assert [scored.similarity for scored in found] == pytest.approx([1.0], abs=1e-3)

    def test_content_that_stands_under_another_key_is_a_duplicate(self, store: Store, tenant: UUID) -> None:
        first = memory("a", content="My dog is called Rex")
        store.put(tenant, first)
        upserted = store.call(
            tenant, lambda m: m.upsert(tenant, [memory("b", content=" My  dog is\ncalled Rex ")])
        )
        assert [(each.outcome, each.id) for each in upserted] == [(Outcome.DUPLICATE, first.record.id)]
        assert store.put(tenant, memory("b", content=first.record.content, namespace="m")) == [Outcome.STORED]
        assert store.count(tenant) == 1

    def test_a_batch_is_decided_in_its_order(self, store: Store, tenant: UUID) -> None:
        batch = [
            memory("a", content="one"),
            memory("b", content="one"),
            memory("a", content="two"),
            memory("c", content="one"),
        ]
        assert store.put(tenant, *batch) == [
            Outcome.STORED, Outcome.DUPLICATE, Outcome.UPDATED, Outcome.STORED,
        ]  # fmt: skip
        assert sorted(record.content for record in store.get(tenant, [each.record.id for each in batch])) == [
            "one", "two",
        ]  # fmt: skip

    def test_what_is_deleted_is_gone(self, store: Store, tenant: UUID) -> None:
        gone, kept = memory("gone"), memory("kept", towards(0, aside=0.5))
        store.put(tenant, gone, kept)
        assert store.delete(tenant, [gone.record.id, new_id()]) == 1
        assert store.delete(tenant, [gone.record.id]) == 0
        assert store.keys(tenant) == ["kept"]
        assert store.get(tenant, [gone.record.id]) == []
        assert store.count(tenant) == 1
        assert store.put(tenant, memory("gone")) == [Outcome.STORED]

    def test_namespaces_are_apart(self, store: Store, tenant: UUID) -> None:
        store.put(tenant, memory("a"), memory("a", namespace="n2"), memory("a", namespace="N"))
        assert store.count(tenant) == store.count(tenant, "n2") == 1
        assert store.keys(tenant, namespace="n2") == ["a"]
        assert store.keys(tenant, namespace="n%") == []

    def test_filters_by_provenance(self, store: Store, tenant: UUID) -> None:
        def told(key: str, **provenance: str) -> IndexedRecord:
            return memory(key, provenance={"trace_id": "t", **provenance})

        store.put(
            tenant,
            told("s", kind="statement", page="1"),
            told("q", kind="question", page="1"),
            told("c", kind="command", page="2"),
            told("none"),
        )
        assert store.keys(tenant, filters={"kind": ("statement",)}) == ["s"]
        assert sorted(store.keys(tenant, filters={"kind": ("statement", "command")})) == ["c", "s"]
        assert store.keys(tenant, filters={"kind": ("question",), "page": ("1",)}) == ["q"]
        assert store.keys(tenant, filters={"kind": ()}) == []
        assert store.keys(tenant, filters={"kind__contains": ("statement",), "x'y": ("1",)}) == []

    def test_excludes_what_stems_from_a_message(self, store: Store, tenant: UUID) -> None:
        store.put(
            tenant,
            memory("own", provenance={"trace_id": "t", "input_hash": "h1"}),
            memory("other", provenance={"trace_id": "t", "input_hash": "h2"}),
            memory("document", provenance={"trace_id": "t"}),
        )
        assert sorted(store.keys(tenant, exclude_source_hashes=("h1",))) == ["document", "other"]
        assert store.keys(tenant, exclude_source_hashes=("h1", "h2")) == ["document"]

    def test_leaves_out_what_occurred_later(self, store: Store, tenant: UUID) -> None:
        store.put(tenant, memory("now"), memory("later", occurred_at=NEW_YEAR + timedelta(seconds=1)))
        assert store.keys(tenant, as_of=NEW_YEAR) == ["now"]
        assert store.keys(tenant, as_of=NEW_YEAR - timedelta(seconds=1)) == []

    def test_refuses_vectors_of_another_length(self, store: Store, tenant: UUID) -> None:
        with pytest.raises(WrongDimensions):
            store.put(tenant, memory("good"), memory("short", towards(0)[:10]))
        with pytest.raises(WrongDimensions):
            store.call(tenant, lambda m: m.search(tenant, query(towards(0)[:10])))
        assert store.count(tenant) == 0

    @pytest.mark.req("AUTH-004")
    def test_no_tenant_reaches_anothers_memories(
        self, store: Store, tenant: UUID, other_tenant: UUID
    ) -> None:
        mine, theirs = memory("mine"), memory("theirs")
        store.put(tenant, mine)
        store.put(other_tenant, theirs)
        ids = [mine.record.id, theirs.record.id]
        assert store.keys(tenant) == ["mine"]
        assert store.count(tenant) == 1
        assert store.get(tenant, ids) == [mine.record]
        assert store.delete(tenant, ids) == 1
        assert store.get(other_tenant, ids) == [theirs.record]

    @pytest.mark.req("AUTH-004")
    def test_keys_and_contents_of_tenants_do_not_meet(
        self, store: Store, tenant: UUID, other_tenant: UUID
    ) -> None:
        store.put(tenant, memory("a", content="One and the same"))
        assert store.put(other_tenant, memory("a", content="One and the same")) == [Outcome.STORED]
        assert store.put(other_tenant, memory("a", content="Changed")) == [Outcome.UPDATED]
        [kept] = store.call(tenant, lambda m: m.search(tenant, query(towards(0))))
        assert kept.record.content == "One and the same"

    @pytest.mark.req("AUTH-004")
    def test_a_tenant_with_few_memories_finds_them_among_anothers_many(
        self, store: Store, tenant: UUID, other_tenant: UUID
    ) -> None:
        """Those of the other are all nearer: an index that gives up after its first candidates finds none."""
        crowd = [memory(f"c{i}", towards(0, aside=1e-3 * i, second=1 + i % 300)) for i in range(400)]
        store.put(other_tenant, *crowd)
        store.put(tenant, *(memory(f"k{i}", towards(0, aside=1.0 + 0.1 * i)) for i in range(5)))
        assert store.keys(tenant, limit=5) == ["k0", "k1", "k2", "k3", "k4"]

    def test_two_that_store_one_content_at_once_store_it_once(self, store: Store, tenant: UUID) -> None:
        def attempt(number: int) -> list[Outcome]:
            return store.put(tenant, memory(f"k{number}", content="One and the same"))

        with ThreadPoolExecutor(4) as threads:
            outcomes = [outcome for [outcome] in threads.map(attempt, range(8))]
        assert sorted(outcomes) == [Outcome.DUPLICATE] * 7 + [Outcome.STORED]
        assert store.count(tenant) == 1
