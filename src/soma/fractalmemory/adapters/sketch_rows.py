"""Sketches of the vectors of large namespaces, in blocks: writing them, and taking memories out of them.

Whoever writes blocks holds the lock of their namespace until the commit, so their versions are committed in
the order in which they are given: who has seen one has seen all before.
"""

# ruff: noqa: S608 - statements are put together from pieces of ours; every value has its place

from collections.abc import Collection, Iterator, Sequence
from typing import Any
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from soma.fractalmemory.kernels.sketch_block import bounds, entry_bytes, without
from soma.fractalmemory.kernels.sketches import LARGE
from soma.fractalmemory.models import DIMENSIONS, POSTGRES_INDEX

BLOCK = 2_048
"""Memories of a block: so many are written anew when some follow, and read when they were."""

BITS = f"substr(bit_send(binary_quantize({{vector}})::bit({DIMENSIONS})), 5)"
"""Of each component whether it is positive; the first four bytes would say how many there are."""

UNIT = "l2_normalize(embedding::vector)"
"""In single precision: squares of what half precision just holds would not fit it."""

SQUARES = f"{UNIT} * {UNIT} - array_fill({LARGE / DIMENSIONS}::real, ARRAY[{DIMENSIONS}])::vector"
ENTRY = f"uuid_send(id) || {BITS.format(vector='embedding')} || {BITS.format(vector=SQUARES)}"
"""How PostgreSQL tells a memory of a block."""

LAST = """
    SELECT number, entries FROM memory_sketch WHERE tenant_id = %s AND namespace = %s
    ORDER BY number DESC LIMIT 1
"""
WRITE = """
    INSERT INTO memory_sketch (tenant_id, namespace, number, version, lowest, highest, entries)
    SELECT %(tenant)s, %(namespace)s::varchar, number, (
        SELECT coalesce(max(version), 0) + 1 FROM memory_sketch
        WHERE tenant_id = %(tenant)s AND namespace = %(namespace)s::varchar
    ), lowest, highest, entries
    FROM unnest(%(numbers)s::bigint[], %(lowest)s::uuid[], %(highest)s::uuid[], %(entries)s::bytea[])
        AS block (number, lowest, highest, entries)
    ON CONFLICT (tenant_id, namespace, number) DO UPDATE
    SET version = excluded.version, lowest = excluded.lowest, highest = excluded.highest,
        entries = excluded.entries
"""
HOLDING = f"""
    SELECT namespace, number, entries FROM memory_sketch AS block
    WHERE tenant_id = %(tenant)s AND EXISTS (
        SELECT FROM memory_record WHERE id = ANY(%(ids)s) AND id BETWEEN block.lowest AND block.highest
          AND tenant_id = %(tenant)s AND namespace = block.namespace AND indexed_by = '{POSTGRES_INDEX}'
    )
"""

Block = tuple[int, bytes]


def append_sketches(cursor: CursorWrapper, tenant_id: UUID, namespace: str, entries: bytes) -> None:
    """Write `entries` behind those that stand, under the lock of `namespace`."""
    cursor.execute(LAST, [tenant_id, namespace])
    number, standing = cursor.fetchone() or (0, b"")
    blocks = _cut(bytes(standing) + entries)
    _write(cursor, tenant_id, namespace, list(enumerate(blocks, number)))


def remove_sketches(cursor: CursorWrapper, tenant_id: UUID, ids: Collection[UUID]) -> None:
    """Take the memories `ids`, which are about to change or to go, out of their blocks, under the lock of
    their namespaces. A block that is left empty stays, and so does the highest version."""
    cursor.execute(HOLDING, {"tenant": tenant_id, "ids": list(ids)})
    for namespace, number, entries in cursor.fetchall():
        left = without(bytes(entries), ids, DIMENSIONS)
        _write(cursor, tenant_id, namespace, [(number, left)])


def _cut(entries: bytes) -> Iterator[bytes]:
    size = BLOCK * entry_bytes(DIMENSIONS)
    for start in range(0, len(entries), size):
        yield entries[start : start + size]


def _write(cursor: CursorWrapper, tenant_id: UUID, namespace: str, blocks: Sequence[Block]) -> None:
    ends = [bounds(entries, DIMENSIONS) or (None, None) for _, entries in blocks]
    values: dict[str, Any] = {
        "tenant": tenant_id,
        "namespace": namespace,
        "numbers": [number for number, _ in blocks],
        "lowest": [lowest for lowest, _ in ends],
        "highest": [highest for _, highest in ends],
        "entries": [entries for _, entries in blocks],
    }
    cursor.execute(WRITE, values)
