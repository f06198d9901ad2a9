"""What a search must find, by comparing everything."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import numpy as np

from soma.base.ids import new_id
from soma.fractalmemory.api import IndexedRecord, MemoryRecord, RecordFilter, VectorQuery
from tests.fractalmemory.memories import DIMENSIONS, NEW_YEAR, Vector, memory

PER_NAMESPACE = 40
KINDS = ("statement", "question", "command")
ROLES, SPEAKERS = ("user", "assistant"), ("Ada", "Bob", "")


def neighbouring_tenants(count: int) -> list[UUID]:
    """Fresh tenants whose ids differ in the last digit only."""
    first = new_id().int & ~0xF
    return [UUID(int=first + number) for number in range(count)]


class Oracle:
    """Random memories in the same namespaces of several tenants, and random questions about them."""

    def __init__(self, rng: np.random.Generator, tenants: Sequence[UUID], namespaces: Sequence[str]) -> None:
        self.tenants = tenants
        self._rng = rng
        self._namespaces = namespaces
        self._directions = rng.normal(size=(20, DIMENSIONS))
        self._memories = {tenant: self._some(namespaces) for tenant in tenants}

    def memories(self, tenant: UUID) -> list[IndexedRecord]:
        """Everything that `tenant` has."""
        return self._memories[tenant]

    def question(self) -> tuple[UUID, VectorQuery]:
        """Somebody's query."""
        rng = self._rng
        filtered, excluding, past = rng.random(3) < (0.4, 0.3, 0.3)
        return self.tenants[int(rng.integers(len(self.tenants)))], VectorQuery(
            namespace=self._namespaces[int(rng.integers(len(self._namespaces)))],
            vector=self._vector(),
            limit=int(rng.integers(1, 25)),
            filters={"kind": tuple(KINDS[: rng.integers(1, 3)])} if filtered else {},
            exclude_source_hashes=(f"h{rng.integers(5)}",) if excluding else (),
            as_of=NEW_YEAR + timedelta(hours=int(rng.integers(PER_NAMESPACE))) if past else None,
            only=self._only(),
        )

    def answer(self, tenant: UUID, query: VectorQuery) -> list[IndexedRecord]:
        """What `query` has to find, in order."""
        wanted = [each for each in self._memories[tenant] if _fits(each, query)]
        return sorted(wanted, key=lambda each: -_similarity(each, query))[: query.limit]

    def similarities(self, tenant: UUID, query: VectorQuery) -> dict[UUID, float]:
        """How near each memory is that `query` may find."""
        wanted = [each for each in self._memories[tenant] if _fits(each, query)]
        return {each.record.id: _similarity(each, query) for each in wanted}

    def _some(self, namespaces: Sequence[str]) -> list[IndexedRecord]:
        return [
            memory(
                f"k{number}",
                self._vector(),
                namespace=namespace,
                occurred_at=NEW_YEAR + timedelta(hours=number),
                role=ROLES[self._rng.integers(2)],
                speaker=SPEAKERS[self._rng.integers(3)],
                provenance={
                    "kind": KINDS[self._rng.integers(3)],
                    "input_hash": f"h{self._rng.integers(5)}",
                },
            )
            for namespace in namespaces
            for number in range(PER_NAMESPACE)
        ]

    def _only(self) -> RecordFilter:
        """No restriction in half of the cases, else one or several."""
        rng = self._rng
        roles, speakers, since, until = rng.random(4) < 0.15
        early, late = sorted(int(hour) for hour in rng.integers(PER_NAMESPACE, size=2))
        return RecordFilter(
            roles=(ROLES[rng.integers(2)],) if roles else (),
            speakers=tuple(SPEAKERS[: rng.integers(1, 3)]) if speakers else (),
            since=NEW_YEAR + timedelta(hours=early) if since else None,
            until=NEW_YEAR + timedelta(hours=late) if until else None,
        )

    def _vector(self) -> Vector:
        """In twenty directions of many: with all of them every vector is as far from every other."""
        vector = (self._rng.normal(size=20) @ self._directions).astype(np.float32)
        return vector / np.float32(np.linalg.norm(vector))


def _similarity(each: IndexedRecord, query: VectorQuery) -> float:
    """The cosine to the vector as a store keeps it: two that are nearly as near may change places by that."""
    kept = each.vector.astype(np.float16).astype(np.float64)
    asked = query.vector.astype(np.float16).astype(np.float64)
    return float(kept @ asked / np.linalg.norm(kept) / np.linalg.norm(asked))


def _fits(each: IndexedRecord, query: VectorQuery) -> bool:
    record = each.record
    return (
        record.namespace == query.namespace
        and all(record.provenance[key] in allowed for key, allowed in query.filters.items())
        and record.provenance["input_hash"] not in query.exclude_source_hashes
        and (query.as_of is None or record.occurred_at <= query.as_of)
        and _is(record, query.only)
    )


def _is(record: MemoryRecord, only: RecordFilter) -> bool:
    return (
        (not only.roles or record.role in only.roles)
        and (not only.speakers or record.speaker in only.speakers)
        and (only.since is None or record.occurred_at >= only.since)
        and (only.until is None or record.occurred_at < only.until)
    )
