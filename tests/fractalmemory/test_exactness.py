"""Whatever is stored, rewritten and deleted, by however many at once: the rest is as if computed from it."""

import threading
from collections.abc import Sequence
from datetime import timedelta
from random import Random
from uuid import UUID

import psycopg
import pytest
from django.db import connection, connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from soma.base.database import tenant_transaction
from soma.base.ids import new_id
from soma.fractalmemory.adapters.link_store_postgres import PostgresLinkStore
from soma.fractalmemory.adapters.passage_store_postgres import PostgresPassageStore
from soma.fractalmemory.adapters.vector_store_pgvector import PgvectorStore
from soma.fractalmemory.api import (
    FractalMemory,
    IndexedRecord,
    Link,
    LinkKey,
    MemoryGraph,
    MemoryTransfer,
    Quota,
    QuotaExceeded,
    Quotas,
    Selection,
)
from soma.fractalmemory.models import POSTGRES_INDEX
from soma.project.configuration import CONFIGURATION
from soma.project.postgres_location import postgres_location
from tests.fractalmemory.exactness import assert_exact
from tests.fractalmemory.leftovers import everything_with
from tests.fractalmemory.memories import NEW_YEAR
from tests.fractalmemory.texts import told

pytestmark = pytest.mark.req("MEM-001", "MEM-003", "PRIV-001")

WORDS = ("dog", "cat", "tea", "lisbon", "chess", "moon")


def spoken(key: str, text: str, session: str, second: int, speaker: str = "") -> IndexedRecord:
    """Something said in a session, `second` seconds into the year."""
    return told(
        key,
        text,
        session=session,
        speaker=speaker,
        occurred_at=NEW_YEAR + timedelta(seconds=second),
        provenance={"trace_id": "t", "source_turn": key, "session": session},
    )


def put(tenant: UUID, batch: Sequence[IndexedRecord]) -> None:
    with tenant_transaction(tenant):
        FractalMemory(PgvectorStore()).upsert(tenant, batch)


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("put"),
            st.lists(
                st.tuples(
                    st.integers(0, 9),
                    st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join),
                    st.sampled_from(["", "monday", "tuesday"]),
                    st.integers(0, 3),
                    st.sampled_from(["", "Ada", "Bob"]),
                ),
                min_size=1,
                max_size=5,
            ),
        ),
        st.tuples(st.just("delete"), st.lists(st.integers(0, 9), min_size=1, max_size=4)),
        st.tuples(st.just("seal"), st.none()),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_after_any_steps_in_any_order(steps: list[tuple[str, list[object]]]) -> None:
    tenant, memory = new_id(), FractalMemory(PgvectorStore())
    eager = PostgresPassageStore(tail=0, block=3)
    for verb, values in steps:
        with tenant_transaction(tenant):
            if verb == "put":
                batch = [spoken(f"k{key}", *rest) for key, *rest in values]  # type: ignore[misc,has-type]
                memory.upsert(tenant, batch)
            elif verb == "delete":
                memory.delete_matching(tenant, Selection(namespace="n", keys=tuple(f"k{n}" for n in values)))
            else:
                eager.seal(tenant, "n")
        assert_exact(tenant, analysed=False)


@pytest.mark.parametrize("seed", range(3))
def test_concurrent_writers_of_one_session_leave_one_chain(tenant: UUID, seed: int) -> None:
    rng = Random(seed)
    events = [spoken(f"k{n}", f"event {n}", "s", rng.randrange(30)) for n in range(60)]
    rng.shuffle(events)
    start = threading.Barrier(4)

    def write(own: list[IndexedRecord], doomed: list[str]) -> None:
        try:
            start.wait()
            while own:
                size = rng.randint(1, 4)
                put(tenant, own[:size])
                own = own[size:]
            with tenant_transaction(tenant):
                gone = Selection(namespace="n", keys=tuple(doomed))
                FractalMemory(PgvectorStore()).delete_matching(tenant, gone)
        finally:
            connection.close()

    shares = [events[n::4] for n in range(4)]
    doomed = [[each.record.key for each in share[::5]] for share in shares]
    threads = [
        threading.Thread(target=write, args=(list(share), gone))
        for share, gone in zip(shares, doomed, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = assert_exact(tenant, analysed=False)
    assert len(stored.records) == 60 - sum(map(len, doomed))


def test_events_that_come_late_or_are_rewritten_or_move_find_their_place(tenant: UUID) -> None:
    put(tenant, [spoken("c", "third", "s", 30), spoken("a", "first", "s", 10)])
    put(tenant, [spoken("b", "second", "s", 20), spoken("x", "elsewhere", "r", 20)])
    assert_exact(tenant, analysed=False)
    put(tenant, [spoken("b", "second again", "s", 40)])
    assert_exact(tenant, analysed=False)
    put(tenant, [spoken("b", "second again", "r", 40)])
    stored = assert_exact(tenant, analysed=False)
    assert sum(row["session"] == "r" for row in stored.passages.values()) == 2


@pytest.mark.parametrize("quota", [Quota(records=10), Quota(bytes=100)])
@pytest.mark.parametrize("whose", ["tenant", "namespace"])
def test_quotas_hold_exactly_however_many_write(tenant: UUID, quota: Quota, whose: str) -> None:
    quotas = Quotas(tenant=quota) if whose == "tenant" else Quotas(namespace=quota)
    memory = FractalMemory(PgvectorStore(), quotas)
    start, refused = threading.Barrier(4), list[str]()

    def write(number: int) -> None:
        try:
            start.wait()
            for n in range(6):
                # Ten letters each; of the tenant's, each thread has a namespace of its own.
                name = f"n{number}" if whose == "tenant" else "n"
                one = told(f"k{number}{n}", f"fact {number:02} {n:02}", namespace=name)
                try:
                    with tenant_transaction(tenant):
                        memory.upsert(tenant, [one])
                except QuotaExceeded as full:
                    refused.append(full.quota)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = assert_exact(tenant, analysed=False)
    assert len(stored.records) == 10
    unit = "records" if quota.records else "bytes"
    assert refused == [f"{whose}_{unit}"] * 14


def test_what_is_rolled_back_uses_nothing(tenant: UUID) -> None:
    memory = FractalMemory(PgvectorStore())
    with tenant_transaction(tenant):
        memory.upsert(tenant, [told("a", "one fact")])
        with transaction.atomic():
            memory.upsert(tenant, [told("b", "another fact")])
            transaction.set_rollback(True)
        assert memory.usage(tenant).records == 1
    assert_exact(tenant, analysed=False)


SECRET_WORDS = ("xylographer", "quokkas")


@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize("indexed", [True, False])
@pytest.mark.parametrize("how", ["ids", "selection", "rewritten"])
def test_what_is_deleted_is_nowhere(tenant: UUID, how: str, indexed: bool, sealed: bool) -> None:
    store, links = PgvectorStore(), PostgresLinkStore()
    memory = FractalMemory(store)
    put(tenant, [spoken(f"k{n}", f"fact {n} about tea", "s", n, "Ada") for n in range(5)])
    before = assert_exact(tenant, analysed=False)
    put(tenant, [spoken("gone", "the xylographer feeds quokkas", "s", 2, "Quentin")])
    if indexed:
        with connections["default"].cursor() as cursor, tenant_transaction(tenant):
            cursor.execute("UPDATE memory_record SET indexed_by = %s", [POSTGRES_INDEX])
    if sealed:
        with tenant_transaction(tenant):
            PostgresPassageStore(tail=0).seal(tenant, "n")
    assert set(everything_with(SECRET_WORDS, tenant)) >= {"memory_record", "memory_passage"}
    with tenant_transaction(tenant):
        [doomed] = memory.select(tenant, Selection(namespace="n", keys=("gone",)), limit=1)
        other = next(iter(before.records))
        key = LinkKey(source_id=other, target_id=doomed.id, kind="near")
        MemoryGraph(links).link(tenant, [Link(key=key, conductance=1.0, created_at=NEW_YEAR)])
    with tenant_transaction(tenant):
        if how == "ids":
            assert memory.delete(tenant, [doomed.id]) == 1
        elif how == "selection":
            assert memory.delete_matching(tenant, Selection(namespace="n", keys=("gone",))) == 1
        else:
            memory.upsert(tenant, [spoken("gone", "nothing much", "s", 2, "Ada")])
            memory.delete(tenant, [doomed.id])
    assert everything_with(SECRET_WORDS, tenant) == []
    after = assert_exact(tenant, analysed=False)
    assert after.records == before.records
    assert after.links == []
    chain = [(row["record_id"], row["previous_id"], row["next_id"]) for row in after.passages.values()]
    assert sorted(chain) == sorted(
        (row["record_id"], row["previous_id"], row["next_id"]) for row in before.passages.values()
    )
    with tenant_transaction(tenant):
        lexicon = memory.lexicon(tenant, "n", ["tea", *SECRET_WORDS])
    assert (lexicon.records, lexicon.mean_length, lexicon.holding.tolist()) == (5, 4.0, [5.0, 0.0, 0.0])
    assert set(lexicon.speakers) == {"Ada"}
    exported = b"".join(MemoryTransfer(store, links).export(tenant, "n", vectors=True))
    assert not any(word.encode() in exported for word in SECRET_WORDS)


def test_a_namespace_that_is_emptied_leaves_nothing(tenant: UUID) -> None:
    put(tenant, [spoken(f"k{n}", f"fact {n} about tea", "s", n, "Ada") for n in range(5)])
    with tenant_transaction(tenant):
        PostgresPassageStore(tail=0).seal(tenant, "n")
    with tenant_transaction(tenant):
        FractalMemory(PgvectorStore()).delete_matching(tenant, Selection(namespace="n"))
    stored = assert_exact(tenant, analysed=False)
    everything = (stored.records, stored.passages, stored.namespaces, stored.speakers, stored.postings)
    assert not any(everything)
    assert stored.usage == {}
    assert everything_with([str(tenant)], tenant) == []


SAMPLED = """
    SELECT relname || '.' || attname, concat(stavalues1, stavalues2, stavalues3, stavalues4, stavalues5)
    FROM pg_statistic JOIN pg_class ON pg_class.oid = starelid
    JOIN pg_attribute ON attrelid = starelid AND attnum = staattnum
    WHERE relname IN ('memory_record', 'memory_passage')
"""


def test_the_planner_keeps_no_sample_of_a_text(tenant: UUID) -> None:
    put(tenant, [told(f"k{n}", f"the xylographer feeds {n} quokkas") for n in range(50)])
    with psycopg.connect(**postgres_location(CONFIGURATION).admin(), autocommit=True) as administrator:
        administrator.execute("ANALYZE memory_record, memory_passage")
        sampled = dict(administrator.execute(SAMPLED).fetchall())
    assert "memory_record.namespace" in sampled
    assert not {"memory_record.content", "memory_record.provenance", "memory_passage.terms"} & set(sampled)
    assert not any(word in text for text in sampled.values() for word in SECRET_WORDS)
