"""How far each consumer has read. All of it runs on the worker connection."""

from soma.base.clock import now
from soma.base.database import WORKER
from soma.events.models import ConsumerOffset


def load(name: str) -> int:
    """The position up to which everything is handled or parked; 0 for a consumer that is new."""
    position = (
        ConsumerOffset.objects.using(WORKER).filter(name=name).values_list("position", flat=True).first()
    )
    return position or 0


def save(name: str, position: int) -> None:
    """Keep `position`, and note that the consumer is alive."""
    ConsumerOffset.objects.using(WORKER).bulk_create(
        [ConsumerOffset(name=name, position=position, heartbeat_at=now())],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["position", "heartbeat_at"],
    )
