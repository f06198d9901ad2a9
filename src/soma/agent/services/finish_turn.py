"""The last transaction of a turn: answer, turn, checkpoint, events."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connections

from soma.agent.domain.convergence import ExitReason
from soma.agent.domain.turn import Outcome, Turn, TurnStatus
from soma.agent.errors import LeaseLost
from soma.agent.models import MessageRow
from soma.agent.services.credit import evidence_of_answer
from soma.agent.services.evidence_used import evidence_used
from soma.agent.services.leases import LEASE_SECONDS
from soma.agent.services.progress import Progress
from soma.agent.services.recording import words
from soma.agent.services.turn_event import turn_event
from soma.base import clock
from soma.base.canonical import json_bytes, sha256_hex
from soma.base.database import APP, tenant_transaction
from soma.base.errors import SomaError
from soma.base.ids import new_id
from soma.base.insertion import insert
from soma.brain.api import Brain, LearnedState
from soma.events.api import Event, keep_blobs, publish


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What the user reads; `message_id` is None when there is nothing to read."""

    text: str
    message_id: UUID | None


def finish_turn(progress: Progress, text: str, outcome: Outcome, brain: Brain) -> Answer:
    """Commit the end of the turn. Raises LeaseLost."""
    turn = progress.turn
    cancelled = outcome.exit_reason == ExitReason.CANCELLED
    answer = Answer(text=text, message_id=new_id() if text else None)
    with tenant_transaction(turn.principal.tenant_id):
        _end(
            turn,
            TurnStatus.CANCELLED if cancelled else TurnStatus.COMPLETED,
            outcome.to_dict(),
            message_id=answer.message_id,
            output_hash=sha256_hex(text.encode()),
        )
        if answer.message_id is not None:
            insert(_message(turn, answer.message_id, text))
            keep_blobs(turn.principal.tenant_id, [words(turn.conversation_id, text)])
        evidence = None if cancelled else evidence_of_answer(progress, text)
        made = brain.checkpoint(turn.principal.tenant_id, str(turn.agent_id), turn.id, evidence=evidence)
        events = [turn_completed(progress, answer, outcome, (made.sequence, made.hash))]
        if not cancelled:
            requested = _remember_requested(progress, answer)
            brain.hold(requested, novelty=progress.novelty, used=_used(progress))
            events += [requested, *evidence_used(progress, text)]
        publish(*events)
    return answer


def fail_turn(turn: Turn, error: SomaError, brain: Brain) -> None:
    """Commit that the turn failed; what its iterations taught is kept. Raises LeaseLost."""
    failure = {"code": error.code, "detail": error.detail}
    tenant_id, agent_id = turn.principal.tenant_id, str(turn.agent_id)
    with tenant_transaction(tenant_id):
        _end(turn, TurnStatus.FAILED, failure)
        brain.learned_state(tenant_id, agent_id, LearnedState())
        brain.checkpoint(tenant_id, agent_id, turn.id)
        publish(
            turn_event(
                turn,
                "chat.turn_failed",
                {
                    "conversation_id": str(turn.conversation_id),
                    **failure,
                },
            )
        )


END_TURN = """
    UPDATE turn
    SET status = %s, outcome = %s::jsonb, message_id = %s, output_hash = %s, completed_at = %s,
        lease_expires_at = %s
    WHERE id = %s AND lease_owner = %s AND attempt = %s AND status = 'running'
"""
"""Ends a turn if this attempt still holds its lease; SQL for the reason that ADVANCE_TURN is."""


def _end(
    turn: Turn,
    status: TurnStatus,
    outcome: dict[str, Any],
    *,
    message_id: UUID | None = None,
    output_hash: str | None = None,
) -> None:
    now = clock.now()
    until = now + timedelta(seconds=LEASE_SECONDS)
    result = [status.value, json_bytes(outcome).decode(), message_id, output_hash, now, until]
    with connections[APP].cursor() as cursor:
        cursor.execute(END_TURN, [*result, turn.id, turn.lease_owner, turn.attempt])
        if cursor.rowcount != 1:
            raise LeaseLost("the turn's lease has passed to another process")


def _message(turn: Turn, message_id: UUID, text: str) -> MessageRow:
    return MessageRow(
        id=message_id,
        tenant_id=turn.principal.tenant_id,
        conversation_id=turn.conversation_id,
        turn_id=turn.id,
        role="assistant",
        content=text,
        created_at=clock.now(),
    )


def turn_completed(
    progress: Progress, answer: Answer, outcome: Outcome, checkpoint: tuple[int, str]
) -> Event:
    """The event that the turn is over; `checkpoint`, by its sequence and hash, is where it left its agent."""
    turn = progress.turn
    executed = [one for one in progress.executions if one.executed]
    first = progress.iterations[0].learning["weights_before"] if progress.iterations else None
    return turn_event(
        turn,
        "chat.turn_completed",
        {
            "conversation_id": str(turn.conversation_id),
            "agent_id": str(turn.agent_id),
            "message_id": None if answer.message_id is None else str(answer.message_id),
            "input_hash": turn.input_hash,
            "output_hash": sha256_hex(answer.text.encode()),
            "iterations": outcome.iterations,
            "exit_reason": outcome.exit_reason,
            "confidence": outcome.confidence,
            "convergence_score": outcome.convergence_score,
            "tools_used": list(outcome.tools_used),
            "tool_success_rate": (
                sum(one.status == "ok" for one in executed) / len(executed) if executed else None
            ),
            "weights_before": first or progress.learned.weights.to_dict(),
            "weights_after": progress.learned.weights.to_dict(),
            "neuromodulators_after": progress.learned.neuromodulators.to_dict(),
            "context_tokens": outcome.prompt_tokens,
            "completion_tokens": outcome.completion_tokens,
            "latency_ms": outcome.latency_ms,
            "first_token_ms": outcome.first_token_ms,
            "degraded_reasons": list(outcome.degraded_reasons),
            "capsule_version": str(turn.capsule_version),
            "model": progress.iterations[-1].model if progress.iterations else turn.model,
            "checkpoint": checkpoint[0],
            "checkpoint_hash": checkpoint[1],
        },
        version=2,
    )


def _used(progress: Progress) -> set[UUID]:
    """The evidence that the turn went by."""
    return {UUID(block.id) for block in progress.evidence}


def _remember_requested(progress: Progress, answer: Answer) -> Event:
    turn = progress.turn
    now = clock.iso(clock.now())
    said = [("user", progress.message.content, clock.iso(progress.message.created_at), 0.7)]
    if answer.text:
        said.append(("assistant", answer.text, now, 0.3))
    return turn_event(
        turn,
        "memory.remember_requested",
        {
            "conversation_id": str(turn.conversation_id),
            "agent_id": str(turn.agent_id),
            "namespace": str(turn.principal.user_id),
            "evidence": [block.id for block in progress.evidence],
            "items": [
                {
                    "key": f"turn:{turn.id}:{role}",
                    "content_hash": sha256_hex(content.encode()),
                    "role": role,
                    "occurred_at": moment,
                    "importance": importance,
                    "input_hash": turn.input_hash,
                }
                for role, content, moment, importance in said
            ],
        },
        version=2,
    )
