"""How far each consumer has read. All of it runs on the worker connection."""

from django.db import connections

from soma.base.clock import now
from soma.base.database import WORKER
from soma.events.models import ConsumerOffset

# SQL, because it follows every batch, and takes two and a half times as long with the ORM.
SAVE = """
INSERT INTO consumer_offset (name, position, heartbeat_at) VALUES (%s, %s, %s)
ON CONFLICT (name) DO UPDATE SET position = excluded.position, heartbeat_at = excluded.heartbeat_at
"""


def load(name: str) -> int:
    """The position up to which everything is handled or parked; 0 for a consumer that is new."""
    position = (
        ConsumerOffset.objects.using(WORKER).filter(name=name).values_list("position", flat=True).first()
    )
    return position or 0


def save(name: str, position: int) -> None:
    """Keep `position`, and note that the consumer is alive."""
    with connections[WORKER].cursor() as cursor:
        cursor.execute(SAVE, [name, position, now()])
