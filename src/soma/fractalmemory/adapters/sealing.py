"""Sealing: writing the postings of passages that waited into blocks."""

from uuid import UUID

from django.db.backends.utils import CursorWrapper

from soma.fractalmemory.adapters.posting_blocks import BLOCK, add_postings

SHORT_TAIL = 512
"""So many passages may wait outside the blocks where sealing is somebody's task. A question reads each of
them: half a millisecond."""

LONG_TAIL = 2_048
"""Where nobody sees to it, whoever writes more than these seals them."""

PAGE = 4_096
"""Passages that are sealed at once, at most: they take a third of a second."""

STATE = """
    SELECT id, sealed_to, next_number - 1 FROM memory_namespace
    WHERE tenant_id = %(tenant)s AND name = %(namespace)s AND next_number - 1 - sealed_to > %(tail)s
"""
SEALED_TO = "UPDATE memory_namespace SET sealed_to = %s WHERE id = %s"


def has_tail(cursor: CursorWrapper, tenant_id: UUID, namespace: str, tail: int) -> bool:
    """Whether more passages than `tail` wait."""
    cursor.execute(STATE, {"tenant": tenant_id, "namespace": namespace, "tail": tail})
    return cursor.fetchone() is not None


def seal_page(
    cursor: CursorWrapper, tenant_id: UUID, namespace: str, *, tail: int, block: int = BLOCK
) -> int:
    """Seal a page if more passages than `tail` wait, under the lock of their namespace; how many were."""
    cursor.execute(STATE, {"tenant": tenant_id, "namespace": namespace, "tail": tail})
    row = cursor.fetchone()
    if row is None:
        return 0
    namespace_id, after, last = row
    to = min(last, after + PAGE)
    add_postings(cursor, tenant_id, namespace_id, after, to, size=block)
    cursor.execute(SEALED_TO, [to, namespace_id])
    return int(to - after)
