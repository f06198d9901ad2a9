"""Which memories of a namespace are meant."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """The memories of `namespace`: all, or those that meet each condition given.

    `keys` names them. `filters` maps a key of the provenance to the values it may have, as in VectorQuery.
    `before` takes what occurred earlier.
    """

    namespace: str
    keys: tuple[str, ...] | None = None
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    before: datetime | None = None
