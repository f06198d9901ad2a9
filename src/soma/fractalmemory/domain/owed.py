"""Where memories wait to be analysed."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class Owed:
    """The namespaces, each with its tenant, of some memories without a passage. `after` is where to look on;
    None behind the last memory."""

    places: tuple[tuple[UUID, str], ...]
    after: UUID | None
