"""Memories in PostgreSQL, searched with Milvus.

A memory is stored as every store here stores it, in its own transaction and without Milvus. `index` sends
what is committed to Milvus and notes in the same row that it is there; a search asks Milvus, and reads those
rows that are not there yet. So a memory is found from its commit on, one that was rolled back never was
anywhere, and an outage of Milvus delays nothing but its own index. What Milvus names is looked up under
row-level security, and compared and ranked by the vectors that PostgreSQL keeps: a vector left behind by a
memory that is gone, or is another tenant's, finds nothing.
"""

# ruff: noqa: S608 - statements are put together from pieces of ours; every value has its place

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from soma.base.database import APP
from soma.fractalmemory.adapters.availability import postgres_answers
from soma.fractalmemory.adapters.conditions import query_conditions
from soma.fractalmemory.adapters.deadline import Deadline
from soma.fractalmemory.adapters.memory_rows import MemoryRows
from soma.fractalmemory.adapters.milvus_collection import MAX_RESULTS, MilvusCollection
from soma.fractalmemory.adapters.milvus_connection import MilvusConnection, MilvusRefusal
from soma.fractalmemory.adapters.milvus_terms import expression, of_vector_key, vector_key
from soma.fractalmemory.adapters.milvus_upkeep import START, MilvusUpkeep
from soma.fractalmemory.adapters.nearest_rows import DISTANCE, NAMESPACE, NEAREST, places, scan, unindexed
from soma.fractalmemory.adapters.record_columns import COLUMNS, found
from soma.fractalmemory.domain.query import VectorQuery
from soma.fractalmemory.domain.reconciled import Reconciled
from soma.fractalmemory.domain.record import ScoredRecord
from soma.fractalmemory.models import POSTGRES_INDEX

T = TypeVar("T")

SEARCH_SECONDS = 1.0
WRITE_SECONDS = 5.0
SPARE = 10
"""How many more are asked for than are wanted: for vectors of memories that are gone."""

WIDER = 4
"""How many times as many are asked for when these were not enough."""

IS_IN_MILVUS = f"SELECT EXISTS (SELECT FROM {NAMESPACE} AND indexed_by > '{POSTGRES_INDEX}')"
"""Whether any Milvus holds vectors of a namespace: their identities are random, and PostgreSQL's is 1."""

FETCH = f"""
    SELECT written_at, {DISTANCE} AS distance, {COLUMNS}
    FROM {NAMESPACE} AND id = ANY(%(ids)s){{conditions}} ORDER BY distance, id
"""
TAKE_TURN = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 2))"


class MilvusStore(MemoryRows):
    """VectorStore on the table `memory_record` and a collection of Milvus. Nothing connects before it is
    needed; a server that is away is found again by itself."""

    def __init__(
        self,
        url: str,
        *,
        collection: str = "soma_memory",
        using: str = APP,
        search_seconds: float = SEARCH_SECONDS,
        write_seconds: float = WRITE_SECONDS,
    ) -> None:
        super().__init__(using=using)
        self._search_seconds, self._write_seconds = search_seconds, write_seconds
        self._turn = f"milvus/{collection}"
        self._collection = MilvusCollection(MilvusConnection(url), collection)

    def search(self, tenant_id: UUID, query: VectorQuery) -> list[ScoredRecord]:
        """See VectorStore."""
        deadline = Deadline(self._search_seconds)
        with postgres_answers(), self._cursor() as cursor:
            cursor.execute(IS_IN_MILVUS, places(tenant_id, query))
            if cursor.fetchone() == (True,):
                found = _opening_again(lambda: self._by_index(cursor, tenant_id, query, deadline))
                if found is not None:
                    return found
            return scan(cursor, tenant_id, query)

    def nearest(self, tenant_id: UUID, query: VectorQuery) -> list[UUID]:
        """See VectorStore."""
        return [scored.record.id for scored in self.search(tenant_id, query)]

    def index(self, tenant_id: UUID, namespace: str, limit: int) -> int:
        """See VectorStore."""

        def work(upkeep: MilvusUpkeep) -> int:
            return upkeep.remove_owed(limit) + upkeep.send(namespace, limit)

        return self._keep_up(tenant_id, work)

    def reconcile(self, tenant_id: UUID, cursor: str | None, limit: int) -> Reconciled:
        """See VectorStore."""
        return self._keep_up(tenant_id, lambda upkeep: upkeep.reconcile(cursor or START, limit))

    def close(self) -> None:
        """End the connection to Milvus."""
        self._collection.close()

    def _by_index(
        self, cursor: CursorWrapper, tenant_id: UUID, query: VectorQuery, deadline: Deadline
    ) -> list[ScoredRecord] | None:
        """The nearest, or None when Milvus cannot give so many that enough of them are memories."""
        identity = self._identity(cursor, deadline)
        # Before Milvus is asked: what it is sent meanwhile is then seen here, there or twice, but not missed.
        waiting = _waiting(cursor, tenant_id, query, identity)
        restricted, wanted = expression(tenant_id, query), query.limit + SPARE
        while wanted <= MAX_RESULTS:
            keys = self._collection.search(query.vector, restricted, wanted, deadline)
            rows = _fetch(cursor, tenant_id, query, {*map(_record_id, keys), *waiting})
            standing = {vector_key(scored.record.id, written_at) for written_at, scored in rows}
            if len(keys) < wanted or len(standing.intersection(keys)) >= query.limit:
                return [scored for _, scored in rows[: query.limit]]
            wanted *= WIDER
        return None

    def _keep_up(self, tenant_id: UUID, work: Callable[[MilvusUpkeep], T]) -> T:
        deadline = Deadline(self._write_seconds)

        def attempt() -> T:
            identity = self._identity(cursor, deadline)
            if self._collection.one_writer_at_a_time:
                self._take_turn(cursor)
            return work(
                MilvusUpkeep(
                    cursor=cursor,
                    collection=self._collection,
                    identity=identity,
                    tenant_id=tenant_id,
                    deadline=deadline,
                )
            )

        with postgres_answers(), self._cursor() as cursor:
            return _opening_again(attempt)

    def _identity(self, cursor: CursorWrapper, deadline: Deadline) -> UUID:
        return self._collection.identity(deadline, lambda: self._take_turn(cursor))

    def _take_turn(self, cursor: CursorWrapper) -> None:
        cursor.execute(TAKE_TURN, [self._turn])


def _opening_again(use: Callable[[], T]) -> T:
    """`use`, and once more when it found the collection not loaded or not there, as after a restart: it is
    opened, or made anew, then."""
    try:
        return use()
    except MilvusRefusal as refusal:
        if not refusal.collection_away:
            raise
    return use()


def _waiting(cursor: CursorWrapper, tenant_id: UUID, query: VectorQuery, identity: UUID) -> list[UUID]:
    """The nearest of the memories that Milvus does not have."""
    conditions, values = query_conditions(query)
    rows = unindexed(f"id, {DISTANCE} AS distance", identity, conditions)
    cursor.execute(NEAREST.format(rows=rows), places(tenant_id, query) | values)
    return [record_id for record_id, _ in cursor.fetchall()]


def _fetch(
    cursor: CursorWrapper, tenant_id: UUID, query: VectorQuery, ids: set[UUID]
) -> list[tuple[datetime, ScoredRecord]]:
    """Those of `ids` that the query wants, nearest first, each with the time of its state."""
    conditions, values = query_conditions(query)
    values |= places(tenant_id, query) | {"ids": list(ids)}
    cursor.execute(FETCH.format(conditions=conditions), values)
    return [
        (written_at, ScoredRecord(record=found(*columns), similarity=1.0 - distance))
        for written_at, distance, *columns in cursor.fetchall()
    ]


def _record_id(key: str) -> UUID:
    return of_vector_key(key)[0]
