"""Links between memories: what may be asked, and what is told."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from soma.base.errors import InvalidInput, LimitExceeded

DEFAULT_HOPS = 1
MAX_HOPS = 3
MAX_PAGE = 1000
"""Links in one answer."""

KIND = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
LEAST_CONDUCTANCE, MOST_CONDUCTANCE = 1e-3, 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class MemoryLink:
    """A link from one memory to another, with its conductance at the time of asking, in [0, 10].

    What usage has added to `rest` fades, by half in a month; `flow` in [0, 1] is how much of what was used
    went through it lately. `hop` counts from 1 from the memory that was asked for.
    """

    source_id: UUID
    target_id: UUID
    kind: str
    conductance: float
    rest: float
    flow: float
    created_at: datetime
    hop: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class WantedLink:
    """A link to make. `kind` is a lower-case letter and up to 39 letters, digits and underscores more;
    `conductance` is in [.001, 10]: 1 is a good link, over which half of what reaches it goes on.

    Raises InvalidInput.
    """

    source_id: UUID
    target_id: UUID
    kind: str
    conductance: float = 1.0

    def __post_init__(self) -> None:
        if self.source_id == self.target_id:
            raise InvalidInput("A link leads from one memory to another")
        check_kind(self.kind)
        if not LEAST_CONDUCTANCE <= self.conductance <= MOST_CONDUCTANCE:
            raise InvalidInput(
                f"conductance is {self.conductance}; it takes {LEAST_CONDUCTANCE} to {MOST_CONDUCTANCE:g}",
                limit="conductance",
                minimum=LEAST_CONDUCTANCE,
                maximum=MOST_CONDUCTANCE,
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkPage:
    """Links around a memory, nearest and then best first; `cursor` asks for those behind them, None at the
    end."""

    links: tuple[MemoryLink, ...]
    cursor: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Resistance:
    """How well two memories are connected by all ways together: 0 for one memory, None where no way was seen.
    Ways that were not seen can only make it less."""

    source_id: UUID
    target_id: UUID
    resistance: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class GraphMetrics:
    """The links that lead from memories of a namespace: how many, of which kinds, their conductance together
    by kind; and the effective resistances that were asked for. `complete`: all ways were seen."""

    memories: int
    links: int
    kinds: Mapping[str, int]
    conductance: Mapping[str, float]
    resistances: tuple[Resistance, ...]
    complete: bool


def check_hops(hops: int) -> None:
    """Raises InvalidInput below 0, LimitExceeded above MAX_HOPS."""
    if hops < 0:
        raise InvalidInput(f"k_hop is {hops}; it takes 0 to {MAX_HOPS}")
    if hops > MAX_HOPS:
        raise LimitExceeded("k_hop", maximum=MAX_HOPS, actual=hops, unit="hops")


def check_kind(kind: str) -> None:
    """Raises InvalidInput for what is no kind."""
    if not KIND.fullmatch(kind):
        raise InvalidInput(
            "A link's kind is a lower-case letter, then up to 39 lower-case letters, digits or underscores",
            limit="kind",
            maximum=40,
        )
