"""Events that were given up."""

from uuid import UUID

from soma.base.database import worker_transaction
from soma.base.ids import new_id
from soma.events import dead_letters
from tests.events.samples import failed_turn, pending


def given_up(tenant_id: UUID, detail: str, *, source: str = "relay") -> UUID:
    """The event_id of an event of the tenant that `source` gave up before it reached the log."""
    event = failed_turn(tenant_id, detail, key=f"turn-{new_id()}")
    with worker_transaction():
        dead_letters.record(pending(event), source=source, attempts=5, error="ValueError: cannot be handled")
    return event.event_id
