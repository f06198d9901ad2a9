"""What a namespace knows of terms, read in one statement and so at one moment."""

# ruff: noqa: S608 - statements are put together from pieces of ours; every value has its place

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import numpy as np

from soma.fractalmemory.adapters.binary_rows import binary_rows
from soma.fractalmemory.adapters.posting_blocks import POSTING, received
from soma.fractalmemory.domain.lexicon import Lexicon
from soma.fractalmemory.domain.passage import index_key
from soma.fractalmemory.kernels.posting_block import Columns, unpack

SPEAKERS = 64
READ = f"""
    WITH here AS MATERIALIZED (
        SELECT id, records, tokens, sealed_to + 1 AS first_number, next_number - 1 AS last_number
        FROM memory_namespace
        WHERE tenant_id = %(tenant)s AND name = %(namespace)s
    )
    SELECT 0, NULL::text, id, records, tokens, NULL::bytea FROM here
    UNION ALL
    SELECT 1, memory_posting.term, memory_posting.first_number, NULL, NULL, memory_posting.block
    FROM here JOIN memory_posting ON namespace_id = here.id AND term = ANY(%(terms)s::text[])
    UNION ALL
    SELECT 2, word.term, NULL, NULL, NULL, string_agg({POSTING}, ''::bytea ORDER BY number)
    FROM here JOIN memory_passage ON namespace_id = here.id
        AND number BETWEEN here.first_number AND here.last_number AND terms && %(terms)s::text[]
    CROSS JOIN LATERAL unnest(terms, frequencies) AS word (term, frequency)
    WHERE word.term = ANY(%(terms)s::text[]) GROUP BY word.term
    UNION ALL
    (SELECT 3, memory_speaker.name, NULL, memory_speaker.records, NULL, NULL
     FROM here JOIN memory_speaker ON namespace_id = here.id
     ORDER BY memory_speaker.records DESC, memory_speaker.name LIMIT {SPEAKERS})
"""
"""The range is given both ends, or the planner would expect a third of the table in it."""

NAMESPACE, BLOCK, WAITING, SPEAKER = range(4)


def read_lexicon(using: str, tenant_id: UUID, namespace: str, terms: Sequence[str]) -> Lexicon:
    """See PassageStore.lexicon."""
    keys = sorted({index_key(term) for term in terms})
    rows = binary_rows(using, READ, {"tenant": tenant_id, "namespace": namespace, "terms": keys})
    known = next((row for row in rows if row[0] == NAMESPACE), None)
    _, _, namespace_id, records, tokens, _ = known or (NAMESPACE, None, None, 0, 0, None)
    return Lexicon(
        namespace_id=namespace_id,
        terms=tuple(dict.fromkeys(terms)),
        records=records,
        mean_length=tokens / records if records else 0.0,
        speakers=tuple(row[1] for row in rows if row[0] == SPEAKER),
        postings=_postings(rows),
    )


def _postings(rows: Sequence[tuple[Any, ...]]) -> dict[str, Columns]:
    parts: dict[str, list[Columns]] = {}
    blocks = sorted((row for row in rows if row[0] == BLOCK), key=lambda row: (row[1], row[2]))
    for _, term, first, _, _, block in blocks:
        parts.setdefault(term, []).append(unpack(first, block))
    for kind, term, _, _, _, data in rows:
        if kind == WAITING:
            parts.setdefault(term, []).append(received(data))
    return {term: _joined(columns) for term, columns in parts.items()}


def _joined(parts: Sequence[Columns]) -> Columns:
    if len(parts) == 1:
        return parts[0]
    numbers, frequencies, lengths = (np.concatenate(column) for column in zip(*parts, strict=True))
    return numbers, frequencies, lengths
