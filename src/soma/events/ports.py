"""What stands behind the relay and in front of the consumers."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from soma.events.event import LogSlice, PendingEvent, Recorded, StoredEvent


class EventLog(Protocol):
    """An append-only log in one or more partitions. A tenant's events of a topic stand in one of them, in
    the order of their sequence; across partitions only the sequence orders them."""

    def append(self, events: Sequence[PendingEvent]) -> Recorded:
        """Record `events` in this order, each with its tenant's next sequence number; an event whose
        event_id is in the log already, or came before in `events`, is passed over. When it returns, they
        are recorded exactly if the transaction it is called in commits, and none is to be read before
        that. All or nothing.

        Called by the active relay alone, so that positions grow in commit order.
        Raises EventRefused when one of them can never be recorded: it is no JSON object, holds U+0000, or
        is longer than admission.PAYLOAD_BYTES. Raises EventLogUnavailable when none can now.
        """

    def read(
        self, tenant_id: UUID, *, key: str | None = None, after: int = 0, limit: int = 1000
    ) -> list[StoredEvent]:
        """Up to `limit` of the tenant's events with a sequence above `after`, oldest first; only those
        with `key` when it is given.

        What a log no longer keeps is missing from the beginning: then the first sequence is not the one
        after `after`, although no key was asked for. Raises EventLogUnavailable; EventMissing where an event
        is gone, or another stands in its place, that the log should still have.
        """

    def expired(self, tenant_id: UUID, sequences: Collection[int]) -> set[int]:
        """Those of `sequences` that were recorded and, by age, are no longer kept. Of those asked for that
        `read` has just passed over."""

    def partitions(self, types: Collection[str]) -> dict[str, int]:
        """The partitions in which events of `types` may stand, each with its last position."""

    def following(self, partition: str, position: int, *, types: Collection[str], limit: int) -> LogSlice:
        """Up to `limit` events of `types` recorded in `partition` after `position`, of all tenants, oldest
        first. Positions start above 0. Raises EventLogUnavailable."""

    def count(self, partition: str, position: int, *, types: Collection[str]) -> int:
        """How many events of `types` are recorded in `partition` after `position`, of all tenants, those
        included that the log no longer keeps."""

    def expiring(self, before: datetime) -> dict[UUID, int]:
        """The tenants of whom `expire` would remove something, each with the last sequence of it. On the same
        connection. Raises EventLogUnavailable."""

    def expire(self, before: datetime, *, limit: int) -> int:
        """Remove the oldest events of all tenants that were recorded before `before`, `limit` at most, and
        say how many. Sequences and positions go on as if they were there still; what the log has removed it
        takes again when it comes again. What is younger than a day stays, whatever `before` is.

        On the connection of the role that may, in transactions of its own. Raises EventLogUnavailable.
        """
