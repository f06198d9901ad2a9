"""Postings in blocks: writing those of new passages, and taking numbers out of them."""

# ruff: noqa: S608 - statements are put together from pieces of ours; every value has its place

from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

import numpy as np
from django.db.backends.utils import CursorWrapper
from numpy.typing import NDArray

from soma.fractalmemory.kernels.posting_block import Columns, pack, unpack

BLOCK = 1_024
"""Postings of a block: a question reads so many of a term with one row, and each stays below a page."""

SENT = np.dtype([("number", ">i8"), ("frequency", ">i2"), ("length", ">i4")])
POSTING = "int8send(number) || int2send(frequency) || int4send(length)"
"""How PostgreSQL tells a posting, and how it is read."""

TAIL = f"""
    SELECT word.term, string_agg({POSTING}, ''::bytea ORDER BY number)
    FROM memory_passage CROSS JOIN LATERAL unnest(terms, frequencies) AS word (term, frequency)
    WHERE namespace_id = %s AND number > %s AND number <= %s GROUP BY word.term ORDER BY word.term
"""
LAST = """
    SELECT known.term, last.first_number, last.block
    FROM unnest(%s::text[]) AS known (term) CROSS JOIN LATERAL (
        SELECT first_number, block FROM memory_posting
        WHERE namespace_id = %s AND term = known.term ORDER BY first_number DESC LIMIT 1
    ) AS last
"""
WRITE = """
    INSERT INTO memory_posting (tenant_id, namespace_id, term, first_number, block)
    SELECT %s, %s, * FROM unnest(%s::text[], %s::bigint[], %s::bytea[])
    ON CONFLICT (namespace_id, term, first_number) DO UPDATE SET block = excluded.block
"""
HOLDING = """
    SELECT memory_posting.term, memory_posting.first_number, memory_posting.block
    FROM (
        SELECT DISTINCT gone.term, held.first_number
        FROM unnest(%s::text[], %s::bigint[]) AS gone (term, number) CROSS JOIN LATERAL (
            SELECT first_number FROM memory_posting
            WHERE namespace_id = %s AND term = gone.term AND first_number <= gone.number
            ORDER BY first_number DESC LIMIT 1
        ) AS held
    ) AS block JOIN memory_posting
      ON memory_posting.namespace_id = %s AND memory_posting.term = block.term
         AND memory_posting.first_number = block.first_number
"""
REWRITE = """
    UPDATE memory_posting SET block = less.block
    FROM unnest(%s::text[], %s::bigint[], %s::bytea[]) AS less (term, first_number, block)
    WHERE memory_posting.namespace_id = %s AND memory_posting.term = less.term
      AND memory_posting.first_number = less.first_number
"""
DROP = """
    DELETE FROM memory_posting USING unnest(%s::text[], %s::bigint[]) AS empty (term, first_number)
    WHERE memory_posting.namespace_id = %s AND memory_posting.term = empty.term
      AND memory_posting.first_number = empty.first_number
"""

Block = tuple[str, int, bytes]


def add_postings(
    cursor: CursorWrapper, tenant_id: UUID, namespace_id: int, after: int, to: int, *, size: int = BLOCK
) -> None:
    """Write the postings of the passages numbered behind `after` up to `to` behind those that stand,
    in blocks of `size`."""
    cursor.execute(TAIL, [namespace_id, after, to])
    added = {term: received(data) for term, data in cursor.fetchall()}
    cursor.execute(LAST, [list(added), namespace_id])
    last = {term: (first, bytes(block)) for term, first, block in cursor.fetchall()}
    blocks = [block for term, new in added.items() for block in _extended(term, last.get(term), new, size)]
    cursor.execute(WRITE, [tenant_id, namespace_id, *_transposed(blocks)])


def remove_postings(cursor: CursorWrapper, namespace_id: int, gone: Sequence[tuple[str, int]]) -> None:
    """Take the numbers of `gone`, pairs of a term and a number, out of the blocks of the terms."""
    if not gone:
        return
    terms, numbers = [term for term, _ in gone], [number for _, number in gone]
    cursor.execute(HOLDING, [terms, numbers, namespace_id, namespace_id])
    unwanted = np.unique(np.array(numbers, np.int64))
    full, empty = list[Block](), list[tuple[str, int]]()
    for term, first, block in cursor.fetchall():
        kept = _without(unpack(first, bytes(block)), unwanted)
        if len(kept[0]):
            full.append((term, first, pack(first, *kept)))
        else:
            empty.append((term, first))
    if full:
        cursor.execute(REWRITE, [*_transposed(full), namespace_id])
    if empty:
        cursor.execute(DROP, [[term for term, _ in empty], [first for _, first in empty], namespace_id])


def received(data: bytes) -> Columns:
    """The postings that PostgreSQL sent by POSTING, in the order in which it sent them."""
    sent = np.frombuffer(data, SENT)
    return (
        sent["number"].astype(np.int64),
        sent["frequency"].astype(np.int64),
        sent["length"].astype(np.int64),
    )


def _extended(term: str, last: tuple[int, bytes] | None, new: Columns, size: int) -> Iterator[Block]:
    """The blocks to write so that `new` follows the `last` block: that one filled up, then further ones."""
    if last is not None:
        first, block = last
        standing = unpack(first, block)
        room = size - len(standing[0])
        if room > 0:
            filled = [np.concatenate([old, more[:room]]) for old, more in zip(standing, new, strict=True)]
            yield term, first, pack(first, *filled)
            new = (new[0][room:], new[1][room:], new[2][room:])
    for start in range(0, len(new[0]), size):
        numbers, frequencies, lengths = (column[start : start + size] for column in new)
        first = int(numbers[0])
        yield term, first, pack(first, numbers, frequencies, lengths)


def _without(columns: Columns, unwanted: NDArray[np.int64]) -> Columns:
    # A record that is gone is gone from every term it held: no need to tell by term.
    kept = np.isin(columns[0], unwanted, assume_unique=True, invert=True)
    numbers, frequencies, lengths = columns
    return numbers[kept], frequencies[kept], lengths[kept]


def _transposed(blocks: Iterable[Block]) -> tuple[list[str], list[int], list[bytes]]:
    blocks = list(blocks)
    return [term for term, _, _ in blocks], [first for _, first, _ in blocks], [data for _, _, data in blocks]
