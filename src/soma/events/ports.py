"""What stands behind the relay and in front of the consumers."""

from collections.abc import Collection, Sequence
from typing import Protocol
from uuid import UUID

from soma.events.event import LogSlice, PendingEvent, StoredEvent


class EventLog(Protocol):
    """An append-only log, ordered per tenant."""

    def append(self, events: Sequence[PendingEvent]) -> None:
        """Record `events` in this order, each with its tenant's next sequence number; an event whose
        event_id is in the log already is passed over. When it returns, they are recorded, or will be
        exactly if the transaction it is called in commits. All or nothing.

        Called by the active relay alone, so that positions grow in commit order.
        Raises EventRefused when one of them can never be recorded, EventLogUnavailable when none can now.
        """

    def read(
        self, tenant_id: UUID, *, key: str | None = None, after: int = 0, limit: int = 1000
    ) -> list[StoredEvent]:
        """Up to `limit` of the tenant's events with a sequence above `after`, oldest first; only those
        with `key` when it is given."""

    def following(self, position: int, *, types: Collection[str], limit: int) -> LogSlice:
        """Up to `limit` events of `types` recorded after `position`, of all tenants, oldest first."""
