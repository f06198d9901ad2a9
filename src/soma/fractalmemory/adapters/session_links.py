"""Who precedes and who follows a passage in its session, kept in its row.

To look for a neighbour takes a question five microseconds, and it would look for six hundred. Passages of one
session are in the order of their time, those of one moment in the order of their storing.
"""

# ruff: noqa: S608 - statements are put together from pieces of ours; every value has its place

from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import groupby, pairwise
from uuid import UUID

from django.db.backends.utils import CursorWrapper

Spoken = tuple[str, datetime, int, UUID]
"""Session, time, place and memory of a passage."""

BESIDE = """
    LEFT JOIN LATERAL (
        SELECT other.record_id FROM memory_passage AS other
        WHERE other.namespace_id = own.namespace_id AND other.session = own.session AND own.session <> ''
          AND (other.occurred_at, other.place) {sign} (own.occurred_at, own.place)
        ORDER BY other.occurred_at {order}, other.place {order} LIMIT 1
    ) AS {name} ON true
"""
BOTH = BESIDE.format(sign="<", order="DESC", name="previous") + BESIDE.format(
    sign=">", order="ASC", name="next"
)
RELINK = f"""
    WITH changed AS (
        SELECT own.record_id, previous.record_id AS previous_id, next.record_id AS next_id
        FROM memory_passage AS own {BOTH} WHERE own.record_id = ANY(%(ids)s)
    ), touched AS (
        SELECT record_id FROM changed UNION SELECT previous_id FROM changed UNION SELECT next_id FROM changed
    ), linked AS (
        SELECT own.record_id, previous.record_id AS previous_id, next.record_id AS next_id
        FROM touched JOIN memory_passage AS own USING (record_id) {BOTH}
    )
    UPDATE memory_passage SET previous_id = linked.previous_id, next_id = linked.next_id FROM linked
    WHERE memory_passage.record_id = linked.record_id
      AND (memory_passage.previous_id, memory_passage.next_id)
          IS DISTINCT FROM (linked.previous_id, linked.next_id)
"""


def links_within(batch: Iterable[Spoken]) -> dict[UUID, tuple[UUID | None, UUID | None]]:
    """The previous and the next of each passage as far as they are in `batch`."""
    previous, following = dict[UUID, UUID](), dict[UUID, UUID]()
    ordered = sorted(batch)
    for session, group in groupby(ordered, key=lambda each: each[0]):
        for (*_, before), (*_, after) in pairwise(group) if session else ():
            previous[after], following[before] = before, after
    return {each: (previous.get(each), following.get(each)) for *_, each in ordered}


def relink(cursor: CursorWrapper, ids: Collection[UUID]) -> None:
    """Set the links of the passages `ids` and of those beside them right, where they are not."""
    if ids:
        cursor.execute(RELINK, {"ids": list(ids)})
