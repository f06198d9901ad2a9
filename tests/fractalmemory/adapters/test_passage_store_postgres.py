"""soma.fractalmemory.adapters.passage_store_postgres"""

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from soma.base.database import tenant_transaction
from soma.base.ids import new_id
from soma.fractalmemory.adapters.passage_store_postgres import PostgresPassageStore
from soma.fractalmemory.adapters.vector_store_pgvector import PgvectorStore
from soma.fractalmemory.api import (
    CandidateQuery,
    CandidateSet,
    FractalMemory,
    IndexedRecord,
    Lexicon,
    MemoryRecord,
    Passage,
)
from soma.fractalmemory.errors import StoreUnavailable
from soma.fractalmemory.kernels.posting_block import unpack
from tests.fractalmemory.memories import NEW_YEAR, Vector, memory, towards
from tests.fractalmemory.texts import K1, B, passage, plain_bm25, told

pytestmark = [pytest.mark.req("MEM-002"), pytest.mark.req("STORE-001")]

TABLES = ("memory_record", "memory_passage", "memory_posting", "memory_namespace", "memory_speaker")
WORDS = ("ant", "bee", "cat", "dog", "eel")
SEALER = PostgresPassageStore(tail=0, block=3)


@pytest.fixture
def memories() -> FractalMemory:
    return FractalMemory(PgvectorStore())


def put(memories: FractalMemory, tenant: UUID, *batch: IndexedRecord) -> list[UUID]:
    with tenant_transaction(tenant):
        return [each.id for each in memories.upsert(tenant, batch)]


def delete(memories: FractalMemory, tenant: UUID, *ids: UUID) -> int:
    with tenant_transaction(tenant):
        return memories.delete(tenant, ids)


def seal(tenant: UUID, namespace: str = "n", sealer: PostgresPassageStore = SEALER) -> int:
    with tenant_transaction(tenant):
        return sealer.seal(tenant, namespace)


def lexicon(memories: FractalMemory, tenant: UUID, *terms: str, namespace: str = "n") -> Lexicon:
    with tenant_transaction(tenant):
        return memories.lexicon(tenant, namespace, terms)


def candidates(
    memories: FractalMemory, tenant: UUID, vector: Vector, *terms: str, **changes: Any
) -> dict[str, int]:
    """Positions by content, and the candidates themselves under ""."""
    return by_content(memories, tenant, ask(memories, tenant, vector, *terms, **changes))


def ask(memories: FractalMemory, tenant: UUID, vector: Vector, *terms: str, **changes: Any) -> CandidateSet:
    seen = lexicon(memories, tenant, *terms)
    values: dict[str, Any] = {"namespace": "n", "vector": vector, "lexicon": seen, "limit": 2, **changes}
    with tenant_transaction(tenant):
        return memories.candidates(tenant, CandidateQuery(**values))


def by_content(memories: FractalMemory, tenant: UUID, found: CandidateSet) -> dict[str, int]:
    with tenant_transaction(tenant):
        contents = {record.id: record.content for record in memories.get(tenant, found.ids)}
    return {contents[record_id]: position for position, record_id in enumerate(found.ids)}


def scores_by_key(memories: FractalMemory, tenant: UUID, seen: Lexicon) -> dict[str, float]:
    numbers, values = seen.scores(k1=K1, b=B)
    with tenant_transaction(tenant), connection.cursor() as cursor:
        cursor.execute(
            "SELECT number, key FROM memory_passage JOIN memory_record ON id = record_id"
            " WHERE namespace = 'n' AND number = ANY(%s)",
            [numbers.tolist()],
        )
        keys = dict(cursor.fetchall())
    return {keys[number]: value for number, value in zip(numbers.tolist(), values.tolist(), strict=True)}


def test_a_search_that_fails_meanwhile_leaves_the_connection_usable(
    memories: FractalMemory, tenant: UUID
) -> None:
    put(memories, tenant, told("k", "ant"))
    seen = lexicon(memories, tenant, "ant")
    query = CandidateQuery(namespace="n", vector=towards(0), lexicon=seen)

    def away() -> list[UUID]:
        raise StoreUnavailable("The index does not answer")

    with pytest.raises(StoreUnavailable, match="The index does not answer"), tenant_transaction(tenant):
        PostgresPassageStore().candidates(tenant, query, away)
    with tenant_transaction(tenant):
        assert len(PostgresPassageStore().candidates(tenant, query, list).ids) == 1


TEXTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6)
WRITE = st.tuples(st.just("write"), st.dictionaries(st.integers(0, 7), TEXTS, min_size=1, max_size=4))
DELETE = st.tuples(st.just("delete"), st.sets(st.integers(0, 7), min_size=1, max_size=4))
SEAL = st.tuples(st.just("seal"), st.none())


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(steps=st.lists(st.one_of(WRITE, WRITE, DELETE, SEAL), max_size=12))
def test_statistics_and_neighbours_are_exact_whatever_happened(
    memories: FractalMemory, steps: list[tuple[str, Any]]
) -> None:
    tenant, said = new_id(), Said()
    for turn, (kind, what) in enumerate(steps):
        if kind == "write":
            batch = {f"k{number}": words for number, words in what.items()}
            said.write(batch, put(memories, tenant, *(saying(turn, *each) for each in batch.items())))
        elif kind == "delete":
            delete(memories, tenant, *said.forget([f"k{number}" for number in what]))
        else:
            seal(tenant)
    texts = said.texts
    seen = lexicon(memories, tenant, *WORDS)
    assert seen.records == len(texts)
    assert seen.mean_length == pytest.approx(np.mean([len(words) for words in texts.values()] or [0]))
    assert seen.holding.tolist() == [sum(word in words for words in texts.values()) for word in WORDS]
    counted = Counter(words[0] for words in texts.values())
    assert seen.speakers == tuple(sorted(counted, key=lambda name: (-counted[name], name)))
    assert scores_by_key(memories, tenant, seen) == pytest.approx(plain_bm25(texts, WORDS), rel=1e-9)
    found = ask(memories, tenant, towards(0), limit=10)
    ids = [*found.ids, None]
    beside = {found.ids[n]: (ids[found.previous[n]], ids[found.next[n]]) for n in range(len(found.ids))}
    assert beside == said.beside()


class Said:
    """What stands, told plainly. The first word speaks and names the session, "eel" none; the number of words
    is the minute."""

    def __init__(self) -> None:
        self.texts: dict[str, list[str]] = {}
        self._ids: dict[str, UUID] = {}
        self._places: dict[str, int] = {}
        self._written = 0

    def write(self, batch: Mapping[str, list[str]], ids: Sequence[UUID]) -> None:
        for (key, words), record_id in zip(batch.items(), ids, strict=True):
            self._written += 1
            self._places.setdefault(key, self._written)
            self.texts[key], self._ids[key] = words, record_id

    def forget(self, keys: Sequence[str]) -> list[UUID]:
        known = [key for key in keys if key in self.texts]
        for key in known:
            del self.texts[key], self._places[key]
        return [self._ids[key] for key in known]

    def beside(self) -> dict[UUID, tuple[UUID | None, UUID | None]]:
        found: dict[UUID, tuple[UUID | None, UUID | None]] = {}
        for word in WORDS:
            keys = [key for key, words in self.texts.items() if words[0] == word]
            keys.sort(key=lambda key: (len(self.texts[key]), self._places[key]))
            run = [None, *(self._ids[key] for key in keys), None]
            for before, own, after in zip(run, run[1:], run[2:], strict=False):
                assert own is not None
                found[own] = (None, None) if word == "eel" else (before, after)
        return found


def saying(turn: int, key: str, words: list[str]) -> IndexedRecord:
    return told(
        key,
        " ".join(words),
        speaker=words[0],
        session="" if words[0] == "eel" else words[0],
        occurred_at=NEW_YEAR + timedelta(minutes=len(words)),
        content_of=f"{turn} {key}",  # a content of its own, or it would be a duplicate
    )


def test_blocks_are_filled_up_before_another_is_begun(memories: FractalMemory, tenant: UUID) -> None:
    for turn in range(5):
        put(memories, tenant, *(told(f"{turn}/{i}", "ant", content_of=f"{turn}/{i}") for i in range(2)))
        seal(tenant)
    with tenant_transaction(tenant), connection.cursor() as cursor:
        cursor.execute("SELECT first_number, block FROM memory_posting ORDER BY first_number")
        blocks = [unpack(first, bytes(block))[0].tolist() for first, block in cursor.fetchall()]
    assert blocks == [[1, 2, 3], [4, 5, 6], [7, 8, 9], [10]]


def test_a_short_tail_is_not_sealed(memories: FractalMemory, tenant: UUID) -> None:
    put(memories, tenant, *(told(f"k{i}", "ant", content_of=f"{i}") for i in range(3)))
    assert seal(tenant, sealer=PostgresPassageStore(tail=3)) == 0
    assert seal(tenant, sealer=PostgresPassageStore(tail=2)) == 3
    assert seal(tenant) == 0
    assert seal(tenant, namespace="never heard of") == 0


def test_indexing_seals(memories: FractalMemory, tenant: UUID) -> None:
    put(memories, tenant, *(told(f"k{i}", "ant", content_of=f"{i}") for i in range(600)))
    memories.index(tenant, "n")
    with tenant_transaction(tenant), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM memory_posting")
        assert cursor.fetchone() == (1,)
    assert lexicon(memories, tenant, "ant").holding.tolist() == [600]


def test_a_long_tail_is_sealed_by_who_writes_it(memories: FractalMemory, tenant: UUID) -> None:
    put(memories, tenant, *(told(f"k{i}", "ant", content_of=f"{i}") for i in range(2_049)))
    assert seal(tenant) == 0
    assert lexicon(memories, tenant, "ant").holding.tolist() == [2_049]


@pytest.mark.parametrize("sealed", [False, True])
def test_namespaces_and_tenants_know_nothing_of_each_other(
    memories: FractalMemory, tenant: UUID, other_tenant: UUID, sealed: bool
) -> None:
    put(memories, tenant, told("a", "ant bee", namespace="acme", speaker="Ann"))
    put(memories, tenant, told("b", "ant ant cat", namespace="acme-corp", speaker="Bob"))
    put(memories, other_tenant, told("c", "ant dog dog dog", namespace="acme", speaker="Cy"))
    if sealed:
        for owner, namespace in ((tenant, "acme"), (tenant, "acme-corp"), (other_tenant, "acme")):
            assert seal(owner, namespace) == 1

    seen = {
        (owner, namespace): lexicon(memories, owner, *WORDS, namespace=namespace)
        for owner in (tenant, other_tenant)
        for namespace in ("acme", "acme-corp")
    }

    assert seen[tenant, "acme"].holding.tolist() == [1, 1, 0, 0, 0]
    assert seen[tenant, "acme-corp"].holding.tolist() == [1, 0, 1, 0, 0]
    assert seen[other_tenant, "acme"].holding.tolist() == [1, 0, 0, 1, 0]
    assert seen[other_tenant, "acme-corp"].records == 0
    assert [each.speakers for each in seen.values()] == [("Ann",), ("Bob",), ("Cy",), ()]
    assert seen[other_tenant, "acme"].mean_length == 4


def test_anothers_lexicon_opens_nothing(memories: FractalMemory, tenant: UUID, other_tenant: UUID) -> None:
    put(memories, other_tenant, told("secret", "ant", towards(5)))
    put(memories, tenant, told("own", "bee", namespace="m"))
    stolen = lexicon(memories, other_tenant, "ant")
    query = CandidateQuery(namespace="n", vector=towards(5), lexicon=stolen)
    with tenant_transaction(tenant):
        assert memories.candidates(tenant, query).ids == ()
        there = replace(query, lexicon=memories.lexicon(tenant, "m", ["bee"]))
        assert memories.candidates(tenant, there).ids == ()


@pytest.mark.parametrize("term", ["żółć", "京都", "🗝", "a'b\"c\\", "%s", "{x}", "ab", "e\u0301", "x" * 5_000])
def test_any_text_is_a_term(memories: FractalMemory, tenant: UUID, term: str) -> None:
    put(memories, tenant, told("a", f"{term} {term} ant"), told("b", f"{term}0"))
    for _ in range(2):
        seen = lexicon(memories, tenant, term, "ant", "")
        assert seen.holding.tolist() == [1, 1, 0]
        assert seen.share(term) == 0.5
        assert seen.of(term)[1].tolist() == [2]
        seal(tenant)


def test_terms_are_asked_for_once_and_can_be_narrowed(memories: FractalMemory, tenant: UUID) -> None:
    put(memories, tenant, told("a", "ant bee bee"), told("b", "cat"))
    seen = lexicon(memories, tenant, "bee", "ant", "bee")
    assert seen.terms == ("bee", "ant")
    narrowed = seen.about(["ant"])
    assert narrowed.holding.tolist() == [1]
    assert narrowed.frequencies(np.array([1, 2, 77])).tolist() == [[1], [0], [0]]
    assert seen.frequencies(np.array([2, 1])).tolist() == [[0, 0], [2, 1]]


def test_deleting_leaves_no_trace(memories: FractalMemory, tenant: UUID) -> None:
    ids = put(memories, tenant, told("a", "ant xyzzy", speaker="Xavier"), told("b", "ant bee", speaker="Bob"))
    seal(tenant)
    ids += put(memories, tenant, told("c", "xyzzy cat", speaker="Xavier"))

    assert delete(memories, tenant, ids[0], ids[2], new_id()) == 2

    assert traces(tenant, "xyzzy", "Xavier") == {}
    assert lexicon(memories, tenant, "ant", "xyzzy").holding.tolist() == [1, 0]
    delete(memories, tenant, ids[1])
    assert rows(tenant) == dict.fromkeys(TABLES, 0)


def test_a_rewritten_text_replaces_the_old_one(memories: FractalMemory, tenant: UUID) -> None:
    put(memories, tenant, told("a", "ant xyzzy"), told("b", "ant"))
    seal(tenant)
    put(memories, tenant, told("a", "bee bee"))
    assert traces(tenant, "xyzzy") == {}
    assert lexicon(memories, tenant, "ant", "bee").holding.tolist() == [1, 1]
    put(memories, tenant, memory("a", content="not analysed"))
    seen = lexicon(memories, tenant, "ant", "bee")
    assert (seen.records, seen.holding.tolist()) == (1, [1, 0])


def test_what_is_rolled_back_never_was(memories: FractalMemory, tenant: UUID) -> None:
    [first] = put(memories, tenant, told("a", "ant", speaker="Ann"))

    def fail() -> None:
        with tenant_transaction(tenant):
            memories.upsert(tenant, [told("b", "bee", speaker="Bob"), told("a", "cat")])
            SEALER.seal(tenant, "n")
            memories.delete(tenant, [first])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    seen = lexicon(memories, tenant, *WORDS)
    assert (seen.records, seen.holding.tolist(), seen.speakers) == (1, [1, 0, 0, 0, 0], ("Ann",))


def test_writers_at_the_same_time_lose_nothing(memories: FractalMemory, tenant: UUID) -> None:
    def work(writer: int) -> None:
        try:
            for turn in range(6):
                keys = [f"{writer}/{turn}/{i}" for i in range(3)]
                ids = put(memories, tenant, *(told(key, "ant bee", content_of=key) for key in keys))
                seal(tenant)
                delete(memories, tenant, ids[0])
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    seen = lexicon(memories, tenant, "ant", "bee")
    assert (seen.records, seen.holding.tolist()) == (48, [48, 48])
    assert len(set(seen.of("ant")[0].tolist())) == 48


def test_candidates_are_the_nearest_the_best_by_terms_and_their_neighbours(
    memories: FractalMemory, tenant: UUID
) -> None:
    put(
        memories,
        tenant,
        told("1", "zero", towards(9), asks=True),
        told("2", "near", towards(0, aside=0.1), told=0.25, timed=True, speaker="Ann", role="assistant"),
        told("3", "two", towards(9), session="other"),
        told("4", "three", towards(9)),
        told("5", "four", towards(9)),
        told("6", "five", towards(9)),
        told("7", "cat cat dog", towards(8)),
        memory("8", towards(0, aside=0.2), content="unanalysed"),
    )
    found = ask(memories, tenant, towards(0), "cat", "dog", "eel")
    at = by_content(memories, tenant, found)

    assert set(at) == {"zero", "near", "three", "five", "cat cat dog", "unanalysed"}
    assert {text for text, position in at.items() if found.found[position]} == {
        "near",
        "unanalysed",
        "cat cat dog",
    }
    assert found.eligible.all()
    near, lexical, bare = at["near"], at["cat cat dog"], at["unanalysed"]
    assert found.similarity[[near, lexical, bare]] == pytest.approx([np.cos(0.1), 0, np.cos(0.2)], abs=1e-3)
    assert found.best_sentence == pytest.approx(found.similarity)
    assert found.frequencies[[near, lexical, bare]].tolist() == [[0, 0, 0], [2, 1, 0], [0, 0, 0]]
    assert found.lengths[[near, lexical, bare]].tolist() == [1, 3, 0]
    assert found.words[[lexical, bare]].tolist() == [3, 0]
    assert found.told[[near, lexical, bare]].tolist() == [0.25, 1, 1]
    assert (found.asks[at["zero"]], found.asks[near], found.timed[near], found.timed[bare]) == (
        True,
        False,
        True,
        False,
    )
    assert (found.speakers[near], found.roles[near], found.occurred_at[near]) == (
        "Ann",
        "assistant",
        NEW_YEAR,
    )
    assert found.importance[near] == 0.5
    assert (found.previous[near], found.next[near]) == (at["zero"], at["three"])
    assert (found.previous[at["three"]], found.next[at["three"]]) == (near, -1)  # "four" is no candidate
    assert (found.previous[lexical], found.next[lexical]) == (at["five"], -1)
    assert (found.previous[bare], found.next[bare]) == (-1, -1)
    assert found.session[near] == found.session[lexical] != found.session[bare]


def test_the_best_sentence_counts(memories: FractalMemory, tenant: UUID) -> None:
    sentences = np.stack([towards(3), towards(0, aside=0.5)])
    put(
        memories,
        tenant,
        told("a", "ant", towards(7), sentences=sentences),
        told("b", "bee", towards(0, aside=1.0)),
    )
    found = ask(memories, tenant, towards(0))
    at = by_content(memories, tenant, found)
    assert found.similarity[[at["ant"], at["bee"]]] == pytest.approx([0, np.cos(1.0)], abs=1e-3)
    assert found.best_sentence[[at["ant"], at["bee"]]] == pytest.approx([np.cos(0.5), np.cos(1.0)], abs=2e-3)


def test_neighbours_follow_each_other_in_time_then_as_they_were_stored(
    memories: FractalMemory, tenant: UUID
) -> None:
    def at(minutes: int) -> dict[str, Any]:
        return {"occurred_at": NEW_YEAR + timedelta(minutes=minutes)}

    put(memories, tenant, told("late", "late", **at(9)), told("x", "x", **at(1)), told("y", "y", **at(1)))
    put(
        memories,
        tenant,
        told("early", "early", **at(0)),
        told("alone", "alone", session=""),
        told("b", "b", session=""),
    )
    put(memories, tenant, told("x", "x again", **at(1)))  # keeps its place
    found = ask(memories, tenant, towards(0), limit=10)
    where = by_content(memories, tenant, found)
    names = {position: name for name, position in where.items()}
    following = {name: names.get(int(found.next[position])) for name, position in where.items()}
    assert following == {
        "early": "x again",
        "x again": "y",
        "y": "late",
        "late": None,
        "alone": None,
        "b": None,
    }
    previous = {name: names.get(int(found.previous[position])) for name, position in where.items()}
    assert previous == {
        "early": None,
        "x again": "early",
        "y": "x again",
        "late": "y",
        "alone": None,
        "b": None,
    }
    assert len(set(found.session.tolist())) == 3


def test_filters_refuse_answers_and_leave_context(memories: FractalMemory, tenant: UUID) -> None:
    kinds: tuple[dict[str, Any], ...] = (
        {"provenance": {"kind": "question"}},
        {"provenance": {"kind": "statement"}},
    )
    put(
        memories,
        tenant,
        *(told(f"q{i}", f"ant question {i}", **kinds[0]) for i in range(40)),
        told("s", "ant statement", towards(9), **kinds[1]),
    )
    found = ask(memories, tenant, towards(0), "ant", filters={"kind": ("statement",)}, limit=3)
    at = by_content(memories, tenant, found)
    assert set(at) == {"ant question 39", "ant statement"}
    assert found.eligible[at["ant statement"]] and found.found[at["ant statement"]]
    assert not found.eligible[at["ant question 39"]] and not found.found[at["ant question 39"]]


def test_what_is_excluded_or_comes_later_is_not_even_context(memories: FractalMemory, tenant: UUID) -> None:
    tomorrow = NEW_YEAR + timedelta(days=1)
    put(
        memories,
        tenant,
        told("asked", "ant asked", provenance={"input_hash": "h"}),
        told("before", "ant before"),
        told("after", "ant after", occurred_at=tomorrow),
    )
    seen = candidates(
        memories, tenant, towards(0), "ant", exclude_source_hashes=("h",), as_of=NEW_YEAR, limit=5
    )
    assert set(seen) == {"ant before"}
    assert set(candidates(memories, tenant, towards(0), "ant", limit=5)) == {
        "ant asked",
        "ant before",
        "ant after",
    }


def test_an_empty_namespace_has_no_candidates(memories: FractalMemory, tenant: UUID) -> None:
    found = ask(memories, tenant, towards(0), "ant")
    assert (found.ids, found.frequencies.shape, found.next.tolist()) == ((), (0, 1), [])
    assert lexicon(memories, tenant, "ant").share("ant") == 0.0


def test_memories_without_a_passage_are_filled_in(memories: FractalMemory, tenant: UUID) -> None:
    put(memories, tenant, *(memory(f"k{i}", content=f"ant {i}", speaker="Ann") for i in range(7)))
    put(memories, tenant, told("analysed", "ant ant"))
    seen: list[str] = []

    def analyse(records: Sequence[MemoryRecord]) -> list[Passage]:
        seen.extend(record.content for record in records)
        if len(seen) == 7:  # meanwhile one of them is rewritten, one deleted, one analysed
            delete(memories, tenant, records[0].id)
            put(memories, tenant, memory("k1", content="changed"), told("k2", "bee"))
        return [passage(record.content) for record in records]

    assert memories.fill_passages(tenant, "n", analyse) == 4
    assert memories.fill_passages(tenant, "n", analyse) == 1
    assert seen == [f"ant {i}" for i in range(7)] + ["changed"]
    found = lexicon(memories, tenant, "ant", "bee", "changed")
    assert (found.records, found.holding.tolist(), found.speakers) == (7, [5, 1, 1], ("Ann", ""))


def traces(tenant: UUID, *texts: str) -> dict[str, int]:
    """The tables in whose rows one of `texts` is found, in letters or in bytes."""
    found = {}
    with tenant_transaction(tenant), connection.cursor() as cursor:
        for table in TABLES:
            patterns = [f"%{form}%" for text in texts for form in (text, text.encode().hex())]
            cursor.execute(f"SELECT count(*) FROM {table} AS row WHERE row::text LIKE ANY(%s)", [patterns])
            found[table] = int(cursor.fetchone()[0])
    return {table: count for table, count in found.items() if count}


def rows(tenant: UUID) -> dict[str, int]:
    """How many rows each table has of the tenant."""
    counts = {}
    with tenant_transaction(tenant), connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT count(*) FROM {table}")
            counts[table] = int(cursor.fetchone()[0])
    return counts
