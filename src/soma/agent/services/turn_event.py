"""Events about a turn."""

from collections.abc import Mapping
from typing import Any

from soma.agent.domain.turn import Turn
from soma.events.api import Event


def turn_event(turn: Turn, type_: str, payload: Mapping[str, Any], *, version: int = 1) -> Event:
    """The event `type_` of `turn`: kept under the turn's id, which leads its payload."""
    return Event(
        tenant_id=turn.principal.tenant_id,
        type=type_,
        version=version,
        key=str(turn.id),
        trace_id=turn.principal.trace_id,
        payload={"turn_id": str(turn.id), **payload},
    )
