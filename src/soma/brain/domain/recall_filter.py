"""Which memories may answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class RecallFilter:
    """Memories that meet every condition given: a role and a speaker among those named, told at `since` or
    later and before `until`, and for each field of the provenance one of the values. An empty tuple names
    nothing, and is no condition. What is left out is still context for its neighbours.
    """

    roles: tuple[str, ...] = ()
    speakers: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    provenance: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


EVERYTHING = RecallFilter()
