"""Links between memories: the edges of the memory graph."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

USED_TOGETHER = "used_together"
"""The kind of the links that usage makes. They rest at 0, and give way where a memory has links enough."""

MAX_LINKS = 64
"""Links of one memory, in either direction: more are not followed from it at any price, and each costs."""

MOST_CONDUCTANCE = 10.0
"""Over a link so good nine tenths of what reaches it go on; what an import gives beyond is cut off."""

HALF_LIFE_DAYS = 30.0
"""Without use, half of what a link has gained over its rest is gone after so long."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkKey:
    """What names a link: from which memory to which, and in what respect (`kind`)."""

    source_id: UUID
    target_id: UUID
    kind: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """A link with its conductance at the moment that it is written or read for, which is at least 0.

    `rest` is what the conductance comes back to without use, None for the conductance itself; `flow` the
    average of what its uses sent through it.
    """

    key: LinkKey
    conductance: float
    created_at: datetime
    rest: float | None = None
    flow: float = 0.0

    @property
    def resting(self) -> float:
        """The conductance that the link comes back to."""
        return self.conductance if self.rest is None else self.rest


@dataclass(frozen=True, kw_only=True, slots=True)
class Neighbour:
    """The memory `record_id`, one link away from the memory `of` that was asked for; `outgoing` when the
    link leads from `of`."""

    of: UUID
    record_id: UUID
    kind: str
    conductance: float
    outgoing: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class KindCount:
    """How many links of a kind a namespace has, and their conductance together."""

    kind: str
    links: int
    conductance: float
