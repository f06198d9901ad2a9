"""Links between memories: the edges of the memory graph."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkKey:
    """What names a link: from which memory to which, and in what respect (`kind`)."""

    source_id: UUID
    target_id: UUID
    kind: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """A link with its conductance, which is at least 0 and grows with use."""

    key: LinkKey
    conductance: float
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Neighbour:
    """The memory `record_id`, one link away from the memory `of` that was asked for; `outgoing` when the
    link leads from `of`."""

    of: UUID
    record_id: UUID
    kind: str
    conductance: float
    outgoing: bool
