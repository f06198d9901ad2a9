"""How far each consumer has read. All of it runs on the worker connection."""

from collections.abc import Mapping

from django.db import connections

from soma.base.clock import now
from soma.base.database import WORKER
from soma.events.models import ConsumerOffset

# SQL, because it follows every batch, and takes two and a half times as long with the ORM.
SAVE = """
INSERT INTO consumer_offset (name, partition, position, saved_at)
SELECT %s, partition, position, %s FROM unnest(%s::text[], %s::bigint[]) AS reached(partition, position)
ON CONFLICT (name, partition)
DO UPDATE SET position = excluded.position, saved_at = excluded.saved_at
"""


def load(name: str) -> dict[str, int]:
    """The position in each partition up to which everything is handled or parked. A partition that the
    consumer has not seen yet is not among them."""
    return dict(ConsumerOffset.objects.using(WORKER).filter(name=name).values_list("partition", "position"))


def save(name: str, positions: Mapping[str, int]) -> None:
    """Keep `positions`, by partition."""
    with connections[WORKER].cursor() as cursor:
        cursor.execute(SAVE, [name, now(), list(positions), list(positions.values())])
