"""Notes that a tool which must not run twice is about to run."""

from soma.agent.domain.tool import ToolCall
from soma.agent.domain.turn import Turn
from soma.agent.models import ToolExecutionRow
from soma.base import clock
from soma.base.database import tenant_transaction
from soma.base.ids import new_id

STARTED = "started"
INTENTS_OF_AN_ATTEMPT = 1000
"""Intents stand at negative positions, apart for each attempt: a later attempt may call other tools, and
neither their results nor their intents may meet one that was left behind."""


def record_intent(turn: Turn, iteration: int, position: int, call: ToolCall, key: str) -> None:
    """Commit the intent. The row is replaced by the result when the iteration commits; one that is left
    behind stays for a person to look at."""
    with tenant_transaction(turn.principal.tenant_id):
        ToolExecutionRow.objects.create(
            id=new_id(),
            tenant_id=turn.principal.tenant_id,
            turn_id=turn.id,
            iteration=iteration,
            position=-(INTENTS_OF_AN_ATTEMPT * turn.attempt + position + 1),
            call_id=call.call_id,
            tool=call.tool,
            arguments=call.arguments,
            idempotency_key=key,
            status=STARTED,
            reasons=[],
            policy_hash="",
            started_at=clock.now(),
        )


def started_before(turn: Turn, tool: str) -> bool:
    """Whether an earlier attempt of this turn started `tool` and left no result."""
    if turn.attempt == 1:
        return False
    with tenant_transaction(turn.principal.tenant_id):
        return ToolExecutionRow.objects.filter(turn_id=turn.id, tool=tool, status=STARTED).exists()
