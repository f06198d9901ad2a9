"""Passages as rows, and the statistics of their namespace, written in the transaction of their memories."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from soma.fractalmemory.adapters.namespace_lock import lock_namespaces
from soma.fractalmemory.adapters.posting_blocks import remove_postings
from soma.fractalmemory.adapters.sealing import LONG_TAIL, seal_page
from soma.fractalmemory.adapters.session_links import links_within, relink
from soma.fractalmemory.adapters.text_array import text_array
from soma.fractalmemory.domain.passage import Passage, index_key
from soma.fractalmemory.domain.record import IndexedRecord, MemoryRecord
from soma.fractalmemory.kernels import sentence_vectors

COUNT = """
    INSERT INTO memory_namespace (tenant_id, name, records, tokens, next_number, sealed_to)
    VALUES (%(tenant)s, %(name)s, %(records)s, %(tokens)s, %(records)s::bigint + 1, 0)
    ON CONFLICT (tenant_id, name) DO UPDATE
    SET records = memory_namespace.records + excluded.records,
        tokens = memory_namespace.tokens + excluded.tokens,
        next_number = memory_namespace.next_number + excluded.records
    RETURNING id, next_number - %(records)s, next_number - 1 - sealed_to
"""
COUNT_SPEAKERS = """
    INSERT INTO memory_speaker (tenant_id, namespace_id, name, records)
    SELECT %s, %s, name, records FROM unnest(%s::text[], %s::bigint[]) AS spoken (name, records)
    ON CONFLICT (namespace_id, name) DO UPDATE SET records = memory_speaker.records + excluded.records
"""
INSERT = """
    INSERT INTO memory_passage (record_id, tenant_id, namespace_id, number, place, session, speaker,
                                occurred_at, previous_id, next_id, terms, frequencies, length, words, told,
                                asks, timed, sentences)
    SELECT record_id, %s, %s, number, place, session, speaker, occurred_at, previous_id, next_id,
           terms::text[], frequencies::smallint[], length, words, told, asks, timed, sentences
    FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::timestamptz[],
                %s::uuid[], %s::uuid[], %b::text[], %b::text[], %s::integer[], %s::integer[],
                %s::double precision[], %s::boolean[], %s::boolean[], %b::bytea[])
        AS passage (record_id, number, place, session, speaker, occurred_at, previous_id, next_id, terms,
                    frequencies, length, words, told, asks, timed, sentences)
"""
"""One statement for a batch: to send and start one for each passage takes as long as to store it. What is
long goes in binary format, which needs no quotes."""
NAMESPACES = "SELECT DISTINCT namespace FROM memory_record WHERE tenant_id = %s AND id = ANY(%s)"
REMOVE = """
    WITH gone AS (
        DELETE FROM memory_passage WHERE tenant_id = %s AND record_id = ANY(%s)
        RETURNING namespace_id, record_id, number, place, previous_id, next_id, speaker, terms, length
    )
    SELECT * FROM gone ORDER BY namespace_id
"""
DISCOUNT = """
    UPDATE memory_namespace SET records = records - %s, tokens = tokens - %s WHERE id = %s RETURNING sealed_to
"""
DISCOUNT_SPEAKERS = """
    UPDATE memory_speaker SET records = memory_speaker.records - gone.records
    FROM unnest(%s::text[], %s::bigint[]) AS gone (name, records)
    WHERE memory_speaker.namespace_id = %s AND memory_speaker.name = gone.name
"""
DROP_SPEAKERS = "DELETE FROM memory_speaker WHERE namespace_id = %s AND records = 0"
DROP_NAMESPACE = "DELETE FROM memory_namespace WHERE id = ANY(%s) AND records = 0"

Pair = tuple[MemoryRecord, Passage]


@dataclass(frozen=True, slots=True)
class Gone:
    """A passage that was removed."""

    namespace_id: int
    record_id: UUID
    number: int
    place: int
    previous_id: UUID | None
    next_id: UUID | None
    speaker: str
    terms: list[str]
    length: int


@dataclass(frozen=True, slots=True)
class Counted:
    """Passages of one namespace that were counted and are to be inserted, from number `first` on; so many
    are `waiting` to be sealed then."""

    namespace: str
    namespace_id: int
    first: int
    waiting: int
    pairs: Sequence[Pair]


def count_passages(cursor: CursorWrapper, tenant_id: UUID, written: Sequence[IndexedRecord]) -> list[Counted]:
    """Count the passages of what is about to be `written`, under the lock of their namespaces. Apart from
    their writing, so that nothing that takes long is waited for in between."""
    return _counted(
        cursor, tenant_id, [(each.record, each.passage) for each in written if each.passage is not None]
    )


def write_passages(
    cursor: CursorWrapper, tenant_id: UUID, counted: Sequence[Counted], rewritten: Sequence[UUID]
) -> None:
    """Write the passages that were `counted`, those of the memories `rewritten` for another time, under the
    lock of their namespaces."""
    gone = _remove(cursor, tenant_id, rewritten) if rewritten else []
    places = {each.record_id: each.place for each in gone}
    for each in counted:
        _insert(cursor, tenant_id, each, places)
    relink(cursor, _beside(gone) | {record.id for each in counted for record, _ in each.pairs})


def add_passages(cursor: CursorWrapper, tenant_id: UUID, pairs: Sequence[Pair]) -> None:
    """Insert passages of memories that have none, under the lock of their namespaces."""
    for each in _counted(cursor, tenant_id, pairs):
        _insert(cursor, tenant_id, each, {})
    relink(cursor, {record.id for record, _ in pairs})


def remove_passages(cursor: CursorWrapper, tenant_id: UUID, ids: Collection[UUID]) -> None:
    """Remove what is kept of the texts of the memories `ids`, which are about to be deleted."""
    cursor.execute(NAMESPACES, [tenant_id, list(ids)])
    lock_namespaces(cursor, tenant_id, [namespace for (namespace,) in cursor.fetchall()])
    gone = _remove(cursor, tenant_id, ids)
    relink(cursor, _beside(gone))
    if gone:
        cursor.execute(DROP_NAMESPACE, [sorted({each.namespace_id for each in gone})])


def _beside(gone: Sequence[Gone]) -> set[UUID]:
    sides = {side for each in gone for side in (each.previous_id, each.next_id) if side is not None}
    return sides - {each.record_id for each in gone}


def _remove(cursor: CursorWrapper, tenant_id: UUID, ids: Collection[UUID]) -> list[Gone]:
    cursor.execute(REMOVE, [tenant_id, list(ids)])
    gone = [Gone(*row) for row in cursor.fetchall()]
    for namespace_id, group in groupby(gone, key=lambda each: each.namespace_id):
        _discount(cursor, namespace_id, list(group))
    return gone


def _discount(cursor: CursorWrapper, namespace_id: int, gone: Sequence[Gone]) -> None:
    cursor.execute(DISCOUNT, [len(gone), sum(each.length for each in gone), namespace_id])
    [(sealed_to,)] = cursor.fetchall()
    spoken = Counter(each.speaker for each in gone)
    cursor.execute(DISCOUNT_SPEAKERS, [*_columns(spoken), namespace_id])
    cursor.execute(DROP_SPEAKERS, [namespace_id])
    sealed = [(term, each.number) for each in gone if each.number <= sealed_to for term in each.terms]
    remove_postings(cursor, namespace_id, sealed)


def _counted(cursor: CursorWrapper, tenant_id: UUID, pairs: Sequence[Pair]) -> list[Counted]:
    counted = []
    for namespace in sorted({record.namespace for record, _ in pairs}):
        here = [pair for pair in pairs if pair[0].namespace == namespace]
        tokens = sum(passage.length for _, passage in here)
        cursor.execute(
            COUNT, {"tenant": tenant_id, "name": namespace, "records": len(here), "tokens": tokens}
        )
        [(namespace_id, first, waiting)] = cursor.fetchall()
        counted.append(Counted(namespace, namespace_id, first, waiting, here))
    return counted


def _insert(cursor: CursorWrapper, tenant_id: UUID, counted: Counted, places: Mapping[UUID, int]) -> None:
    pairs, namespace_id = counted.pairs, counted.namespace_id
    spoken = Counter(record.speaker for record, _ in pairs)
    cursor.execute(COUNT_SPEAKERS, [tenant_id, namespace_id, *_columns(spoken)])
    numbered = [
        (number, places.get(record.id, number), record, passage)
        for number, (record, passage) in enumerate(pairs, counted.first)
    ]
    links = links_within(
        (index_key(passage.session), record.occurred_at, place, record.id)
        for _, place, record, passage in numbered
    )
    rows = [
        (record.id, number, place, *_values(record, passage, links[record.id]))
        for number, place, record, passage in numbered
    ]
    cursor.execute(INSERT, [tenant_id, namespace_id, *map(list, zip(*rows, strict=True))])
    waiting = counted.waiting
    while waiting > LONG_TAIL:
        waiting -= seal_page(cursor, tenant_id, counted.namespace, tail=LONG_TAIL)


def _values(record: MemoryRecord, passage: Passage, beside: tuple[UUID | None, UUID | None]) -> list[Any]:
    counts, sentences = passage.counts(), passage.sentences
    return [
        index_key(passage.session),
        record.speaker,
        record.occurred_at,
        *beside,
        text_array(counts),
        text_array(map(str, counts.values())),
        passage.length,
        passage.words,
        passage.told,
        passage.asks,
        passage.timed,
        None if sentences is None or len(sentences) == 0 else sentence_vectors.pack(sentences),
    ]


def _columns(spoken: Mapping[str, int]) -> tuple[list[str], list[int]]:
    names = sorted(spoken)  # in one order, so that rows are locked in one
    return names, [spoken[name] for name in names]
