"""How links stand in their rows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from soma.fractalmemory.domain.link import HALF_LIFE_DAYS, Link, LinkKey

IDLE_DAYS = "greatest(0.0, extract(epoch FROM %(at)s::timestamptz - settled_at)::float8 / 86400.0)"
CONDUCTANCE = f"(rest + (conductance - rest) * power(2.0::float8, -{IDLE_DAYS} / {HALF_LIFE_DAYS}))"
"""Of a row, at the moment `at`."""

COLUMNS = f"source_id, target_id, kind, {CONDUCTANCE} AS conductance, rest, flow, created_at"


def link_of(
    source: UUID, target: UUID, kind: str, conductance: float, rest: float, flow: float, created_at: datetime
) -> Link:
    """The link that the COLUMNS of a row say."""
    return Link(
        key=LinkKey(source_id=source, target_id=target, kind=kind),
        conductance=conductance,
        created_at=created_at,
        rest=rest,
        flow=flow,
    )


def key_places(tenant_id: UUID, keys: Sequence[LinkKey]) -> dict[str, Any]:
    """The values of the places that statements about the links `keys` have."""
    return {
        "tenant": tenant_id,
        "sources": [key.source_id for key in keys],
        "targets": [key.target_id for key in keys],
        "kinds": [key.kind for key in keys],
    }
