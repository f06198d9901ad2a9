"""What a verification looks at, wherever it stands."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from soma.events.audit.checkpoint import Checkpoint
from soma.events.audit.link import Link
from soma.events.errors import EventMissing
from soma.events.event import StoredEvent


@dataclass(frozen=True, kw_only=True, slots=True)
class Claims:
    """What must be there: `sequence` is the highest that anything speaks of, `checkpoints` the highest number
    of one; `linked` is the last sequence that has a link."""

    sequence: int
    checkpoints: int
    linked: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Everything of a tenant behind the page before, up to some sequence. `more`: there may be something
    behind it; `later`: there are events behind it. `missing`: what the log says of the first event behind it
    that it should have and does not."""

    events: Sequence[StoredEvent]
    links: Sequence[Link]
    checkpoints: Sequence[Checkpoint]
    more: bool
    later: bool
    missing: EventMissing | None = None


class Evidence(Protocol):
    """Events, links and checkpoints of one tenant."""

    def claims(self) -> Claims:
        """Asked first: what was there then must be on the pages that follow."""

    def page(self, after: int, expected: int) -> Page:
        """What follows the sequence `after`. The last page reaches up to `expected` at least."""

    def expired(self, sequences: Collection[int]) -> set[int]:
        """Those of `sequences` whose events were recorded and have left the log by its retention."""

    def sequence_of(self, event_id: UUID) -> int | None:
        """Where the chain has a link for the event."""

    def holds(self, event_id: UUID) -> bool:
        """Whether the event stands anywhere in the log."""
