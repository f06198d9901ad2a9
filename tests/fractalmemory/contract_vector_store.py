"""What every VectorStore must do. A technology's test module subclasses VectorStoreContract."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import numpy as np
import pytest

from soma.base.ids import new_id
from soma.fractalmemory.api import (
    FractalMemory,
    Held,
    IndexedRecord,
    MemoryRecord,
    Outcome,
    RecordFilter,
    ScoredRecord,
    Selection,
    VectorStore,
    WrongDimensions,
)
from tests.fractalmemory.memories import NEW_YEAR, Vector, memory, query, towards
from tests.fractalmemory.oracle import Oracle, neighbouring_tenants

T = TypeVar("T")
Scope = Callable[[UUID], AbstractContextManager[None]]

HOSTILE = [
    "' or tenant != '",
    "'] or true or key in ['",
    '" || 1==1 || "',
    "n' and namespace == 'm",
    "{tenant}",
    "%(vector)s %s %%",
    "\\",
    "\\'",
    "line\nbreak\ttab",
    "$meta['a']",
    "名前空間🗝\u0301",
    "null",
]


class RolledBack(Exception):
    """Ends a transaction without committing it."""


class Store:
    """The store under test, each call in a scope of its own. With `follow` the index follows each write, as
    it does where the indexer runs; without, everything is found by reading the rows. `exact` says that it
    misses nothing, as an index may."""

    def __init__(self, store: VectorStore, scope: Scope, *, follow: bool, exact: bool) -> None:
        self.store = store
        self.exact = exact
        self._memories = FractalMemory(store)
        self._scope = scope
        self._follow = follow

    def call(self, tenant: UUID, use: Callable[[FractalMemory], T]) -> T:
        with self._scope(tenant):
            return use(self._memories)

    def follow(self, tenant: UUID, *namespaces: str, page: int = 100) -> None:
        for namespace in {"", *namespaces} if self._follow else ():
            while self.call(tenant, lambda _: self.store.index(tenant, namespace, page)):  # noqa: B023
                pass

    def put(self, tenant: UUID, *batch: IndexedRecord) -> list[Outcome]:
        outcomes = [upserted.outcome for upserted in self.call(tenant, lambda m: m.upsert(tenant, batch))]
        self.follow(tenant, *(each.record.namespace for each in batch))
        return outcomes

    def search(self, tenant: UUID, vector: Vector, **changes: Any) -> list[ScoredRecord]:
        """What a search finds, once it is seen that the search for ids alone finds the same."""
        asked = query(vector, **changes)
        found, ids = self.call(tenant, lambda m: (m.search(tenant, asked), self.store.nearest(tenant, asked)))
        assert ids == [scored.record.id for scored in found]
        return found

    def keys(self, tenant: UUID, axis: int = 0, **changes: Any) -> list[str]:
        return [scored.record.key for scored in self.search(tenant, towards(axis), **changes)]

    def count(self, tenant: UUID, namespace: str = "n") -> int:
        return self.call(tenant, lambda m: m.count(tenant, namespace))

    def get(self, tenant: UUID, ids: Sequence[UUID]) -> list[MemoryRecord]:
        return self.call(tenant, lambda m: m.get(tenant, ids))

    def delete(self, tenant: UUID, ids: Sequence[UUID]) -> int:
        deleted = self.call(tenant, lambda m: m.delete(tenant, ids))
        self.follow(tenant)
        return deleted

    def roll_back(self, tenant: UUID, use: Callable[[FractalMemory], object]) -> None:
        """`use`, in a transaction that fails after it."""

        def fail(memories: FractalMemory) -> None:
            use(memories)
            raise RolledBack

        with pytest.raises(RolledBack):
            self.call(tenant, fail)


@pytest.mark.req("STORE-001")
class VectorStoreContract:
    """Needs fixtures `store` (a Store), `vectors` (how many the index holds of a tenant) and `tenant`,
    `other_tenant`."""

    def test_finds_the_nearest_first_with_their_cosines(self, store: Store, tenant: UUID) -> None:
        store.put(tenant, *(memory(f"k{i}", towards(0, aside=0.3 * i)) for i in (3, 1, 0, 2)))
        found = store.search(tenant, towards(0))
        assert [scored.record.key for scored in found] == ["k0", "k1", "k2", "k3"]
        assert [scored.similarity for scored in found] == pytest.approx(
            [1.0, 0.9553, 0.8253, 0.6216], abs=1e-3
        )

    def test_gives_no_more_than_asked_and_knows_opposites(self, store: Store, tenant: UUID) -> None:
        store.put(tenant, memory("same"), memory("opposite", -towards(0)))
        assert store.keys(tenant, limit=1) == ["same"]
        assert store.keys(tenant, limit=0) == []
        found = store.search(tenant, towards(0))
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
        found = store.search(tenant, towards(5))
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

    def test_finds_only_who_and_when(self, store: Store, tenant: UUID) -> None:
        hour = timedelta(hours=1)
        store.put(
            tenant,
            memory("a", role="user", speaker="Ada"),
            memory("b", role="assistant", speaker="Bob", occurred_at=NEW_YEAR + hour),
            memory("c", role="user", speaker="", occurred_at=NEW_YEAR + 2 * hour),
        )

        def keys(**only: Any) -> list[str]:
            return sorted(store.keys(tenant, only=RecordFilter(**only)))

        assert keys() == ["a", "b", "c"]
        assert keys(roles=("user",)) == ["a", "c"]
        assert keys(speakers=("Ada", "Bob")) == ["a", "b"]
        assert keys(speakers=("",)) == ["c"]
        assert keys(since=NEW_YEAR + hour) == ["b", "c"]
        assert keys(until=NEW_YEAR + hour) == ["a"]
        assert keys(roles=("user",), since=NEW_YEAR + hour, until=NEW_YEAR + 3 * hour) == ["c"]
        assert keys(roles=("us%",)) == keys(speakers=("' OR true --",)) == []

    def test_tells_what_namespaces_hold(self, store: Store, tenant: UUID) -> None:
        later = NEW_YEAR + timedelta(hours=1)
        store.put(
            tenant,
            memory("a", namespace="u"),
            memory("a", namespace="u:x"),
            memory("b", namespace="u:x", occurred_at=later),
            memory("a", namespace="u_x"),
            memory("a", namespace="v:x"),
        )
        assert store.call(tenant, lambda m: m.namespaces(tenant, "w", "_:")) == []
        held = store.call(tenant, lambda m: m.namespaces(tenant, "u", "u:"))
        assert held == [
            Held(namespace="u", records=1, latest=NEW_YEAR),
            Held(namespace="u:x", records=2, latest=later),
        ]

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
        [kept] = store.search(tenant, towards(0))
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

    def test_gives_as_many_as_there_are_and_as_many_as_are_asked(self, store: Store, tenant: UUID) -> None:
        """An index may miss one near vector in fifty, and gives another for it."""
        crowd = [
            memory(f"k{i:03}", towards(200, aside=0.1 + 2e-3 * i, second=1 + i % 300)) for i in range(600)
        ]
        store.put(tenant, *reversed(crowd))
        everything = [each.record.key for each in crowd]
        for limit in (1, 300, 1000):
            found = store.search(tenant, towards(200), limit=limit)
            assert len(found) == min(limit, 600)
            similarities = [scored.similarity for scored in found]
            assert similarities == sorted(similarities, reverse=True)
            keys = {scored.record.key for scored in found}
            assert len(keys & set(everything[:limit])) >= (1.0 if store.exact else 0.98) * len(found)

    def test_what_is_rolled_back_never_was(self, store: Store, tenant: UUID) -> None:
        store.put(tenant, memory("kept", content="as it was"))
        [kept] = store.search(tenant, towards(0))
        store.roll_back(tenant, lambda m: m.upsert(tenant, [memory("new", content="never")]))
        store.roll_back(tenant, lambda m: m.upsert(tenant, [memory("kept", towards(3), content="changed")]))
        store.roll_back(tenant, lambda m: m.delete(tenant, [kept.record.id]))
        store.follow(tenant, "n")
        assert store.search(tenant, towards(0)) == [kept]
        assert store.count(tenant) == 1

    def test_a_transaction_finds_what_it_has_written_itself(self, store: Store, tenant: UUID) -> None:
        store.put(tenant, memory("a", towards(0, aside=0.3)), memory("b", towards(0, aside=0.6)))

        def work(memories: FractalMemory) -> list[str]:
            [gone] = memories.select(tenant, Selection(namespace="n", keys=("a",)), limit=1)
            memories.delete(tenant, [gone.id])
            memories.upsert(tenant, [memory("b", towards(5), content="moved"), memory("c", towards(0))])
            return [scored.record.key for scored in memories.search(tenant, query(towards(0)))]

        assert store.call(tenant, work) == ["c", "b"]
        store.follow(tenant, "n")
        assert store.keys(tenant) == ["c", "b"]

    def test_the_vector_goes_with_the_memory(
        self, store: Store, tenant: UUID, vectors: Callable[[UUID], int]
    ) -> None:
        batch = [memory(f"k{i}", towards(i)) for i in range(5)]
        store.put(tenant, *batch)
        held = vectors(tenant)
        store.put(tenant, memory("k0", towards(9), content="rewritten"))
        assert vectors(tenant) == held
        assert store.search(tenant, towards(0))[0].similarity == pytest.approx(0.0, abs=1e-3)
        store.delete(tenant, [each.record.id for each in batch[1:]])
        assert vectors(tenant) == held - 4
        store.call(tenant, lambda m: m.delete_matching(tenant, Selection(namespace="n")))
        store.follow(tenant)
        assert vectors(tenant) == held - 5

    def test_keeps_a_megabyte(self, store: Store, tenant: UUID) -> None:
        large = memory("large", content="Wörter 🗝 " * (1_048_576 // 12), provenance={"note": "x" * 100_000})
        store.put(tenant, large, memory("small", towards(0, aside=0.5)))
        assert [scored.record.content for scored in store.search(tenant, towards(0))] == [
            large.record.content, "Content of small",
        ]  # fmt: skip

    @pytest.mark.parametrize("text", HOSTILE)
    def test_no_text_means_more_than_itself(self, store: Store, tenant: UUID, text: str) -> None:
        store.put(
            tenant,
            memory("own", namespace=text, provenance={text: text, "input_hash": text}),
            memory("other", namespace=text, provenance={"input_hash": "h"}),
            memory("elsewhere", namespace="m", provenance={text: text}),
        )
        assert sorted(store.keys(tenant, namespace=text)) == ["other", "own"]
        assert store.keys(tenant, namespace=text, filters={text: (text,)}) == ["own"]
        assert store.keys(tenant, namespace=text, filters={text: (f"{text}'",), "input_hash": ("h",)}) == []
        assert store.keys(tenant, namespace=text, exclude_source_hashes=(text,)) == ["other"]
        assert store.keys(tenant, namespace="m", exclude_source_hashes=(text,)) == ["elsewhere"]

    def test_namespaces_that_begin_alike_are_apart(self, store: Store, tenant: UUID) -> None:
        names = ["acme", "acme-corp", "acme/corp", "acme ", "ACME", "acme%", "acm_"]
        store.put(tenant, *(memory(name, namespace=name) for name in names))
        for name in names:
            assert store.keys(tenant, namespace=name) == [name]
            assert store.count(tenant, name) == 1

    def test_filters_by_what_is_no_text(self, store: Store, tenant: UUID) -> None:
        store.put(
            tenant,
            memory("a", provenance={"page": 3, "draft": True, "share": 0.5, "tags": ["x"], "note": None}),
            memory("b", provenance={"page": "3", "draft": "true", "share": 2.5e-7, "big": 2**60}),
            memory("c", provenance={"page": 30, "draft": False}),
        )
        assert sorted(store.keys(tenant, filters={"page": ("3",)})) == ["a", "b"]
        assert sorted(store.keys(tenant, filters={"draft": ("true",)})) == ["a", "b"]
        assert store.keys(tenant, filters={"share": ("0.5",)}) == ["a"]
        assert store.keys(tenant, filters={"share": ("0.00000025",)}) == ["b"]
        assert store.keys(tenant, filters={"big": (str(2**60),)}) == ["b"]
        assert store.keys(tenant, filters={"tags": ('["x"]',)}) == ["a"]
        assert store.keys(tenant, filters={"note": ("null", "None", "")}) == []
        assert store.keys(tenant, filters={"page": ("30",), "draft": ("false",)}) == ["c"]

    def test_filters_among_a_provenance_of_any_size(self, store: Store, tenant: UUID) -> None:
        many = {f"k{i}": str(i) for i in range(3000)}
        store.put(tenant, memory("many", provenance=many), memory("few", provenance={"k2999": "2999"}))
        assert sorted(store.keys(tenant, filters={"k2999": ("2999",)})) == ["few", "many"]
        assert store.keys(tenant, filters={"k0": ("0",)}) == ["many"]
        assert store.keys(tenant, filters={"k0": ("1",)}) == []

    def test_knows_time_to_the_microsecond(self, store: Store, tenant: UUID) -> None:
        moment = NEW_YEAR + timedelta(microseconds=7)
        ancient = NEW_YEAR.replace(year=1066)
        store.put(tenant, memory("now", occurred_at=moment), memory("ancient", occurred_at=ancient))
        assert sorted(store.keys(tenant, as_of=moment)) == ["ancient", "now"]
        assert store.keys(tenant, as_of=moment - timedelta(microseconds=1)) == ["ancient"]
        assert store.keys(tenant, as_of=ancient - timedelta(microseconds=1)) == []

    def test_selects_by_key_origin_and_time(self, store: Store, tenant: UUID) -> None:
        store.put(
            tenant,
            *(
                memory(
                    f"k{i}",
                    provenance={"kind": "odd" if i % 2 else "even"},
                    occurred_at=NEW_YEAR + timedelta(i),
                )
                for i in range(6)
            ),
            memory("k0", namespace="m"),
        )

        def selected(after: str | None = None, limit: int = 10, **changes: Any) -> list[str]:
            selection = Selection(namespace="n", **changes)
            found = store.call(tenant, lambda m: m.select(tenant, selection, after=after, limit=limit))
            return [record.key for record in found]

        assert selected() == ["k0", "k1", "k2", "k3", "k4", "k5"]
        assert selected(after="k1", limit=2) == ["k2", "k3"]
        assert selected(keys=("k4", "k1", "none")) == ["k1", "k4"]
        assert selected(keys=()) == []
        assert selected(filters={"kind": ("odd",)}, before=NEW_YEAR + timedelta(3)) == ["k1"]

    def test_deletes_what_is_selected(self, store: Store, tenant: UUID) -> None:
        """Retention: what occurred before a day goes, in one namespace."""
        store.put(
            tenant,
            *(memory(f"k{i}", occurred_at=NEW_YEAR + timedelta(i)) for i in range(4)),
            memory("k0", namespace="m"),
        )
        old = Selection(namespace="n", before=NEW_YEAR + timedelta(2))
        assert store.call(tenant, lambda m: m.delete_matching(tenant, old)) == 2
        assert store.call(tenant, lambda m: m.delete_matching(tenant, old)) == 0
        store.follow(tenant)
        assert sorted(store.keys(tenant)) == ["k2", "k3"]
        assert store.count(tenant, "m") == 1

    def test_gives_vectors_back_as_they_are_kept(
        self, store: Store, tenant: UUID, other_tenant: UUID
    ) -> None:
        kept = memory("a", towards(0, aside=0.4))
        store.put(tenant, kept)
        ids = [kept.record.id, new_id()]
        found = store.call(tenant, lambda m: m.vectors(tenant, ids))
        assert list(found) == [kept.record.id]
        assert found[kept.record.id].dtype == np.float32
        assert np.allclose(found[kept.record.id], kept.vector, atol=1e-3)
        assert store.call(other_tenant, lambda m: m.vectors(other_tenant, ids)) == {}

    def test_gives_vectors_in_the_order_of_their_writing(
        self, store: Store, tenant: UUID, other_tenant: UUID
    ) -> None:
        """A page at a time; what is rewritten comes again at the end, what is deleted does not come."""
        for number, key in enumerate(("c", "a", "b")):
            store.put(tenant, memory(key, towards(number)))
        store.put(tenant, memory("a", namespace="m"))
        store.put(other_tenant, memory("a"))

        def read() -> list[int]:
            axes, place = list[int](), None
            while page := store.call(
                tenant,
                lambda m: m.written(tenant, "n", after=place, limit=2),  # noqa: B023
            ):
                axes.extend(int(each.vector.argmax()) for each in page)
                place = page[-1].place
            return axes

        assert read() == [0, 1, 2]
        [rewritten] = [each.record.id for each in store.search(tenant, towards(0), limit=1)]
        store.put(tenant, memory("c", towards(5), content="another"))
        assert read() == [1, 2, 5]
        store.delete(tenant, [rewritten])
        assert read() == [1, 2]

    @pytest.mark.req("AUTH-004")
    def test_random_queries_find_what_comparing_everything_finds(self, store: Store) -> None:
        """Tenants whose ids differ in one digit, namespaces that begin alike, contents that all of them
        have: what is found are the tenant's own memories that the question admits, nearest first."""
        oracle = Oracle(
            np.random.default_rng(4), neighbouring_tenants(4), ["acme", "acme-corp", "acme-corp/a"]
        )
        for tenant in oracle.tenants:
            store.put(tenant, *oracle.memories(tenant))
        missed = wanted = 0
        for _ in range(150):
            tenant, asked = oracle.question()
            found = store.call(tenant, lambda m: m.search(tenant, asked))  # noqa: B023
            answer = oracle.answer(tenant, asked)
            similarities = oracle.similarities(tenant, asked)
            assert len(found) == len(answer)
            assert [scored.similarity for scored in found] == pytest.approx(
                [similarities[scored.record.id] for scored in found], abs=1e-3
            )
            assert sorted(found, key=lambda scored: -scored.similarity) == found
            missed += len({each.record.id for each in answer} - {scored.record.id for scored in found})
            wanted += len(answer)
        assert missed == 0 if store.exact else missed < 0.02 * wanted
