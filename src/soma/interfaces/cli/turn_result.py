"""What `somagent ask` says of a turn."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from soma.agent.api import TurnView
from soma.base.errors import Unavailable
from soma.base.tenancy import Principal
from soma.interfaces.runtime import Runtime

DRAIN_SECONDS = 30.0
OWED = "events: they wait in the outbox"
PAGE = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class TurnResult:
    """A turn that has ended, the number of its events in the log, and what it went on without."""

    turn: TurnView
    event_count: int
    degraded_reasons: tuple[str, ...]

    @property
    def failed(self) -> bool:
        """Whether the turn ended otherwise than with its answer."""
        return self.turn.status != "completed"

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        turn = self.turn
        return {
            "answer": turn.answer or "",
            "turn_id": str(turn.id),
            "conversation_id": str(turn.conversation_id),
            "status": turn.status,
            "iterations": turn.iterations,
            "confidence": turn.confidence,
            "exit_reason": turn.exit_reason,
            "event_count": self.event_count,
            "degraded_reasons": list(self.degraded_reasons),
            "tools_used": list(turn.tools_used),
            "model": turn.model,
            "seed": turn.seed,
            "latency_ms": turn.latency_ms,
        }


async def turn_result(runtime: Runtime, principal: Principal, turn: TurnView) -> TurnResult:
    """Wait until the turn's events are in the log, then count them. Where it takes nothing they are owed,
    and nobody waits: the result says so."""
    count, settled = await runtime.database.run(_count, runtime, principal.tenant_id, turn.id)
    told = tuple(turn.degraded_reasons)
    owed = not settled and not any(reason.startswith("events:") for reason in told)
    return TurnResult(turn=turn, event_count=count, degraded_reasons=(*told, OWED) if owed else told)


def _count(runtime: Runtime, tenant_id: UUID, turn_id: UUID) -> tuple[int, bool]:
    """How many there are, and whether that is all."""
    if not runtime.relay.drain(DRAIN_SECONDS, patient=False):
        return 0, False
    count, after = 0, 0
    try:
        while page := runtime.log.read(tenant_id, key=str(turn_id), after=after, limit=PAGE):
            count, after = count + len(page), page[-1].sequence
    except Unavailable:
        return count, False
    return count, True
