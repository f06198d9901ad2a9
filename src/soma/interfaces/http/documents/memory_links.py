"""Links between the caller's own memories."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from soma.interfaces.http.documents.base import Given, Sent, Text

Id = Annotated[UUID, Field(strict=False)]


class LinkRequest(Sent):
    """A link to make, or to give another conductance. `kind` is a lower-case letter and up to 39 letters,
    digits and underscores more; `conductance` takes .001 to 10."""

    source_id: Id
    target_id: Id
    kind: Text
    conductance: Annotated[float, Field(allow_inf_nan=False)] = 1.0


class Link(Given):
    """A link, with its conductance now. What usage has added to `rest` fades, by half in a month; `flow` is
    how much of what was used went through it lately; `hop` counts from the memory that was asked for."""

    source_id: UUID
    target_id: UUID
    kind: str
    conductance: float
    rest: float
    flow: float
    created_at: datetime
    hop: int


class Links(Given):
    """Links, nearest and then best first. `cursor` asks for those behind them; null at the end."""

    links: list[Link]
    cursor: str | None


class Resistance(Given):
    """How well two memories are connected by all ways together: the less the better, null where there is no
    way."""

    source_id: UUID
    target_id: UUID
    resistance: float | None


class GraphMetrics(Given):
    """How a namespace is linked: links and their conductance by kind, and the resistances that were asked
    for. Where not `complete`, ways were left out that could only make these less."""

    memories: int
    links: int
    kinds: Mapping[str, int]
    conductance: Mapping[str, float]
    resistances: list[Resistance]
    complete: bool
