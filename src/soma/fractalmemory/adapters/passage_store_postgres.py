"""Memories' texts in PostgreSQL: passages as rows, and what has waited long enough in blocks of postings."""

from collections.abc import Callable, Sequence
from uuid import UUID

from django.db import connections

from soma.base.database import APP, WORKER, worker_transaction
from soma.fractalmemory.adapters.availability import postgres_answers
from soma.fractalmemory.adapters.candidate_rows import read_candidates
from soma.fractalmemory.adapters.lexicon_rows import read_lexicon
from soma.fractalmemory.adapters.namespace_lock import lock_namespaces
from soma.fractalmemory.adapters.passage_rows import add_passages
from soma.fractalmemory.adapters.posting_blocks import BLOCK
from soma.fractalmemory.adapters.sealing import SHORT_TAIL, has_tail, seal_page
from soma.fractalmemory.adapters.unanalysed_rows import owed_places, standing_records, unanalysed_records
from soma.fractalmemory.domain.candidates import CandidateQuery, CandidateSet
from soma.fractalmemory.domain.lexicon import Lexicon
from soma.fractalmemory.domain.owed import Owed
from soma.fractalmemory.domain.passage import Passage
from soma.fractalmemory.domain.record import MemoryRecord


class PostgresPassageStore:
    """PassageStore on the tables `memory_passage`, `memory_posting`, `memory_namespace`, `memory_speaker`."""

    def __init__(self, *, using: str = APP, tail: int = SHORT_TAIL, block: int = BLOCK) -> None:
        self._using = using
        self._tail = tail
        self._block = block

    def lexicon(self, tenant_id: UUID, namespace: str, terms: Sequence[str]) -> Lexicon:
        """See PassageStore."""
        return read_lexicon(self._using, tenant_id, namespace, terms)

    def candidates(
        self, tenant_id: UUID, query: CandidateQuery, nearest: Callable[[], Sequence[UUID]]
    ) -> CandidateSet:
        """See PassageStore."""
        return read_candidates(self._using, tenant_id, query, nearest)

    def seal(self, tenant_id: UUID, namespace: str) -> int:
        """See PassageStore."""
        with postgres_answers(), connections[self._using].cursor() as cursor:
            if not has_tail(cursor, tenant_id, namespace, self._tail):
                return 0
            lock_namespaces(cursor, tenant_id, [namespace])
            return seal_page(cursor, tenant_id, namespace, tail=self._tail, block=self._block)

    def unanalysed(
        self, tenant_id: UUID, namespace: str, *, after: UUID | None, limit: int
    ) -> list[MemoryRecord]:
        """See PassageStore."""
        with postgres_answers(), connections[self._using].cursor() as cursor:
            return unanalysed_records(cursor, tenant_id, namespace, after, limit)

    def owed(self, after: UUID, limit: int) -> Owed:
        """See PassageStore."""
        with postgres_answers(), worker_transaction(), connections[WORKER].cursor() as cursor:
            return owed_places(cursor, after, limit)

    def add(self, tenant_id: UUID, analysed: Sequence[tuple[MemoryRecord, Passage]]) -> int:
        """See PassageStore."""
        with postgres_answers(), connections[self._using].cursor() as cursor:
            lock_namespaces(cursor, tenant_id, [record.namespace for record, _ in analysed])
            standing = standing_records(cursor, tenant_id, [record for record, _ in analysed])
            wanted = [pair for pair in analysed if pair[0].id in standing]
            add_passages(cursor, tenant_id, wanted)
            return len(wanted)
