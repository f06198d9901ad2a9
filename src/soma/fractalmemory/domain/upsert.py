"""What storing a batch of memories does to those that are already there: one rule for every store."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from soma.fractalmemory.domain.record import IndexedRecord, MemoryRecord


class Outcome(StrEnum):
    """What became of one memory of a batch."""

    STORED = "stored"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, kw_only=True, slots=True)
class Upserted:
    """`id` is that of the memory which now holds the content: for a duplicate, the older one's."""

    id: UUID
    namespace: str
    key: str
    outcome: Outcome


class UpsertPlan:
    """Decides a batch against what stands, in the batch's order.

    A key that is known is rewritten, or left when nothing differs. A new key whose content already
    stands in its namespace is a duplicate, and not stored: MemoryRecord.content_hash says what is one
    content. Texts that are only nearly the same are two memories. The later of two with one key wins.
    """

    def __init__(self, standing: Iterable[MemoryRecord]) -> None:
        self._by_key: dict[tuple[str, str], MemoryRecord] = {}
        self._by_content: dict[tuple[str, str], UUID] = {}
        self._writes: dict[UUID, IndexedRecord] = {}
        for record in standing:
            self._hold(record)

    @property
    def writes(self) -> list[IndexedRecord]:
        """What is to be written: each id once, with its last state."""
        return list(self._writes.values())

    def decide(self, batch: Sequence[IndexedRecord]) -> list[Upserted]:
        """The outcome of each memory of `batch`, in order."""
        return [self._decide(indexed) for indexed in batch]

    def _decide(self, indexed: IndexedRecord) -> Upserted:
        record = indexed.record
        standing = self._by_key.get((record.namespace, record.key))
        if standing is None:
            older = self._by_content.get((record.namespace, record.content_hash))
            if older is not None:
                return _outcome(record, older, Outcome.DUPLICATE)
            self._write(indexed)
            return _outcome(record, record.id, Outcome.STORED)
        if standing.same_memory(record):
            return _outcome(record, standing.id, Outcome.UNCHANGED)
        self._forget_content(standing)
        rewritten = replace(record, id=standing.id, created_at=standing.created_at)
        self._write(replace(indexed, record=rewritten))
        return _outcome(record, standing.id, Outcome.UPDATED)

    def _write(self, indexed: IndexedRecord) -> None:
        self._writes[indexed.record.id] = indexed
        self._hold(indexed.record)

    def _hold(self, record: MemoryRecord) -> None:
        self._by_key[record.namespace, record.key] = record
        self._by_content.setdefault((record.namespace, record.content_hash), record.id)

    def _forget_content(self, record: MemoryRecord) -> None:
        place = (record.namespace, record.content_hash)
        if self._by_content.get(place) == record.id:
            del self._by_content[place]


def _outcome(record: MemoryRecord, record_id: UUID, outcome: Outcome) -> Upserted:
    return Upserted(id=record_id, namespace=record.namespace, key=record.key, outcome=outcome)
