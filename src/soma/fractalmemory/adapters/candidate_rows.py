"""Candidates and their neighbours, read in two statements: what terms find, then what else meaning does."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any, TypeVar
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from soma.fractalmemory.adapters.binary_rows import Rows, binary_rows, rows_under_way
from soma.fractalmemory.adapters.conditions import query_conditions
from soma.fractalmemory.adapters.record_columns import vector_text
from soma.fractalmemory.adapters.text_array import array_of
from soma.fractalmemory.domain.candidates import CandidateQuery, CandidateSet
from soma.fractalmemory.domain.record_filter import ANY_RECORD
from soma.fractalmemory.kernels.bm25 import best
from soma.fractalmemory.kernels.sentence_vectors import largest_cosine

T = TypeVar("T", bound=np.generic)

BY_TERMS = """
    SELECT own.record_id AS id
    FROM unnest(%(numbers)s::text::bigint[]) WITH ORDINALITY AS best (number, rank)
    CROSS JOIN LATERAL (
        SELECT record_id FROM memory_passage
        WHERE namespace_id = %(namespace_id)s AND number = best.number OFFSET 0
    ) AS own CROSS JOIN LATERAL (
        SELECT * FROM memory_record WHERE id = own.record_id OFFSET 0
    ) AS record WHERE true{wanted}{filtered}
    ORDER BY best.rank LIMIT %(limit)s
"""
BY_IDS = "SELECT id FROM unnest(%(ids)s::text::uuid[]) AS given (id)"

POOL = """
    WITH hit AS MATERIALIZED ({hits}), pool AS MATERIALIZED (
        SELECT id FROM hit
        UNION
        SELECT beside.id FROM hit CROSS JOIN LATERAL (
            SELECT previous_id, next_id FROM memory_passage WHERE record_id = hit.id OFFSET 0
        ) AS own CROSS JOIN LATERAL (VALUES (own.previous_id), (own.next_id)) AS beside (id)
        EXCEPT
        SELECT id FROM unnest(%(seen)s::text::uuid[]) AS seen (id)
    )
    SELECT array_agg(hit), array_agg(id), array_agg(eligible), array_agg(similarity), array_agg(previous_id),
           array_agg(next_id), array_agg(number), array_agg(session), array_agg(length), array_agg(words),
           array_agg(told), array_agg(asks), array_agg(timed), array_agg(octet_length(sentences)),
           array_agg(role), array_agg(speaker), array_agg(occurred_at), array_agg(importance),
           ARRAY[string_agg(sentences, ''::bytea)]
    FROM (
        SELECT pool.id IN (SELECT id FROM hit) AS hit, record.eligible, record.similarity, own.previous_id,
               own.next_id, own.number, own.session, own.length, own.words, own.told, own.asks, own.timed,
               own.sentences, record.id, record.role, record.speaker, record.occurred_at, record.importance
        FROM pool CROSS JOIN LATERAL (
            SELECT id, role, speaker, occurred_at, importance,
                   1.0 - (embedding <=> %(vector)s::halfvec) AS similarity,
                   coalesce(true{filtered}, false) AS eligible
            FROM (SELECT * FROM memory_record WHERE id = pool.id OFFSET 0) AS found
            WHERE tenant_id = %(tenant)s AND namespace = %(namespace)s{wanted}
        ) AS record
        LEFT JOIN LATERAL (SELECT * FROM memory_passage WHERE record_id = pool.id OFFSET 0) AS own ON true
        ORDER BY pool.id
    ) AS found
"""
"""The hits and their neighbours, but those already `seen`. What `wanted` refuses is not there at all; what
`filtered` refuses may still be a neighbour. For the offsets see nearest_rows. One row of columns: three
hundred rows of a kilobyte take half a millisecond more to take apart. The sentences are one for all."""

HIT, ID, WIDTH = 0, 1, 19
"""Columns of POOL, and how many there are."""

MORE = 4
"""How many times as many of the best by terms are offered as are wanted, where filters may refuse some."""

WIDER = 8
"""How many times as many when these were not enough."""


def read_candidates(
    using: str, tenant_id: UUID, query: CandidateQuery, nearest: Callable[[], Sequence[UUID]]
) -> CandidateSet:
    """See PassageStore.candidates. What terms find is looked up while `nearest` compares sketches."""
    by_terms, by_ids, values = _statements(tenant_id, query)
    numbers, scores = query.lexicon.scores(k1=query.k1, b=query.b)
    offered = query.limit * (MORE if query.restricted else 1)
    chosen = best(numbers, scores, offered)
    with _looking_up(using, by_terms, values, chosen) as rows:
        near = nearest()
        columns = _columns(rows())
    while len(chosen) < len(numbers) and sum(columns[HIT]) < query.limit:
        offered *= WIDER
        chosen = best(numbers, scores, offered)
        with _looking_up(using, by_terms, values, chosen) as rows:
            columns = _columns(rows())
    places = {"ids": array_of(each.hex for each in near), "seen": array_of(each.hex for each in columns[ID])}
    more = _columns(binary_rows(using, by_ids, values | places))
    return _candidates([(*one, *other) for one, other in zip(columns, more, strict=True)], near, query)


def _looking_up(
    using: str, statement: str, values: Mapping[str, Any], numbers: NDArray[np.int64]
) -> AbstractContextManager[Callable[[], Rows]]:
    if not len(numbers):
        return nullcontext(list)
    places = {"numbers": array_of(map(str, numbers.tolist())), "seen": array_of(())}
    return rows_under_way(using, statement, {**values, **places})


def _statements(tenant_id: UUID, query: CandidateQuery) -> tuple[str, str, dict[str, Any]]:
    """What reads the best by terms, and what reads given memories; the values of their places."""
    filtered, allowed = query_conditions(replace(query.dense, exclude_source_hashes=(), as_of=None))
    wanted, values = query_conditions(replace(query.dense, filters={}, only=ANY_RECORD))
    places = {
        "tenant": tenant_id,
        "namespace": query.namespace,
        "namespace_id": query.lexicon.namespace_id,
        "limit": query.limit,
        "vector": vector_text(query.vector),
    }
    by_terms, by_ids = (
        POOL.replace("{hits}", hits).format(wanted=wanted, filtered=filtered) for hits in (BY_TERMS, BY_IDS)
    )
    return by_terms, by_ids, values | allowed | places


def _columns(rows: Rows) -> Sequence[Sequence[Any]]:
    """The columns of POOL, which are null where it finds nothing."""
    if not rows or rows[0][ID] is None:
        return ((),) * WIDTH
    return rows[0]


def _candidates(
    columns: Sequence[Sequence[Any]], near: Sequence[UUID], query: CandidateQuery
) -> CandidateSet:
    hit, ids, eligible, similarity, previous, following, number, session, length, words, *rest = columns
    told, asks, timed, sizes, roles, speakers, occurred_at, importance, sentences = rest
    positions = {record_id: position for position, record_id in enumerate(ids)}
    found = np.array(hit, np.bool_)
    found[[positions[each] for each in near if each in positions]] = True
    similarities = np.array(similarity, np.float64)
    return CandidateSet(
        ids=tuple(ids),
        roles=tuple(roles),
        speakers=tuple(speakers),
        occurred_at=tuple(occurred_at),
        importance=np.array(importance, np.float64),
        found=found,
        eligible=np.array(eligible, bool),
        similarity=similarities,
        best_sentence=_best_sentence(sizes, b"".join(filter(None, sentences)), similarities, query),
        frequencies=query.lexicon.frequencies(_filled(number, -1, np.int64)),
        lengths=_filled(length, 0, np.float64),
        words=_filled(words, 0, np.float64),
        told=_filled(told, 1.0, np.float64),
        asks=_filled(asks, False, np.bool_),
        timed=_filled(timed, False, np.bool_),
        session=_numbered(session),
        previous=_positions(previous, positions),
        next=_positions(following, positions),
    )


def _filled(values: Sequence[Any], absent: Any, kind: type[T]) -> NDArray[T]:
    """`values` as an array, with `absent` for what a memory without a passage does not have."""
    return np.array([absent if value is None else value for value in values], kind)


def _best_sentence(
    sizes: Sequence[int | None], sentences: bytes, similarity: NDArray[np.float64], query: CandidateQuery
) -> NDArray[np.float64]:
    largest = similarity.copy()
    packed = _filled(sizes, 0, np.int64)
    largest[packed > 0] = largest_cosine(sentences, packed[packed > 0], query.vector)
    return largest


def _numbered(sessions: Sequence[str | None]) -> NDArray[np.intp]:
    """A number for each session, from 0; whatever is in none has one of its own."""
    known: dict[str | int, int] = {}
    keys = [session or position for position, session in enumerate(sessions)]
    return np.array([known.setdefault(key, len(known)) for key in keys], np.intp)


def _positions(ids: Sequence[UUID | None], positions: Mapping[UUID, int]) -> NDArray[np.intp]:
    return np.array([-1 if each is None else positions.get(each, -1) for each in ids], np.intp)
