"""Reading turns: their state, their frames, their trace."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from soma.agent.domain.frames import Frame, frame, replayed
from soma.agent.domain.iteration import Iteration
from soma.agent.domain.turn import Turn, TurnStatus
from soma.agent.models import MessageRow, TurnRow
from soma.agent.services.gate import Gate, Thing
from soma.agent.services.rows import iterations_of, turn_of
from soma.agent.services.run_turn import answer_data, completed_data, started_data
from soma.base.database import tenant_transaction
from soma.base.errors import NotFound
from soma.base.tenancy import Principal


@dataclass(frozen=True, kw_only=True, slots=True)
class TurnView:
    """A turn as faces show it; what is not known yet is None."""

    id: UUID
    conversation_id: UUID
    status: str
    seed: int
    model: str
    iterations: int
    confidence: float | None
    convergence_score: float | None
    exit_reason: str | None
    answer: str | None
    degraded_reasons: tuple[str, ...]
    tools_used: tuple[str, ...]
    failure: dict[str, str] | None
    started_at: datetime
    completed_at: datetime | None
    first_token_ms: float | None
    latency_ms: float | None


def turn_view(principal: Principal, turn_id: UUID, gate: Gate) -> TurnView:
    """One turn. Raises NotFound, Denied."""
    with tenant_transaction(principal.tenant_id):
        row = readable(principal, turn_id, gate)
        return _view(row, _answer(row))


def request_cancel(principal: Principal, turn_id: UUID, gate: Gate) -> TurnView:
    """Ask a turn to stop, wherever it runs; a finished turn stays as it is. Raises NotFound, Denied."""
    with tenant_transaction(principal.tenant_id):
        row = readable(principal, turn_id, gate, "cancel", "chat:write")
        TurnRow.objects.filter(id=row.id, status=TurnStatus.RUNNING).update(cancel_requested=True)
        return _view(row, _answer(row))


def committed_frames(principal: Principal, turn_id: UUID, gate: Gate) -> tuple[list[Frame], bool]:
    """The frames that can be made from what is committed, and whether the turn is over.
    Raises NotFound, Denied."""
    with tenant_transaction(principal.tenant_id):
        row = readable(principal, turn_id, gate)
        iterations = iterations_of(row.id)
        answer = _answer(row)
    return _frames(row, iterations, answer), row.status != TurnStatus.RUNNING


def readable(
    principal: Principal, turn_id: UUID, gate: Gate, permission: str = "read", action: str = "chat:read"
) -> TurnRow:
    """The row, inside an open transaction, if `principal` has `permission` on its conversation and the
    policy's leave for `action`. Raises NotFound, Denied."""
    row = TurnRow.objects.filter(id=turn_id).first()
    if row is None:
        raise NotFound("there is no such turn")
    gate.require(principal, permission, action, thing_of(row))
    return row


def require_live(principal: Principal, turn: Turn, gate: Gate) -> None:
    """The same for a turn that runs in this process and is only read. Raises NotFound, Denied."""
    if turn.principal.tenant_id != principal.tenant_id:
        raise NotFound("there is no such turn")
    thing = Thing(
        type="turn",
        id=turn.id,
        conversation_id=turn.conversation_id,
        owner_id=turn.principal.user_id,
    )
    with tenant_transaction(principal.tenant_id):
        gate.require(principal, "read", "chat:read", thing)


def thing_of(row: TurnRow) -> Thing:
    """A turn, as one asks for leave to touch it."""
    return Thing(type="turn", id=row.id, conversation_id=row.conversation_id, owner_id=row.user_id)


def _answer(row: TurnRow) -> str | None:
    if row.message_id is None:
        return "" if row.status == TurnStatus.CANCELLED else None
    return MessageRow.objects.values_list("content", flat=True).get(id=row.message_id)


def _frames(row: TurnRow, iterations: list[Iteration], answer: str | None) -> list[Frame]:
    turn, turn_id = turn_of(row), str(row.id)
    frames = [
        frame(attempt["first_frame_id"], "turn.started", turn_id, None, started_data(turn, number))
        for number, attempt in enumerate(row.attempts, start=1)
    ]
    for iteration in iterations:
        frames += replayed(turn_id, iteration)
    frames.sort(key=lambda each: each.id)
    following = frames[-1].id + 1
    if row.status == TurnStatus.FAILED and row.outcome is not None:
        frames.append(frame(following, "turn.failed", turn_id, None, row.outcome))
    elif row.status != TurnStatus.RUNNING and row.outcome is not None:
        message_id = None if row.message_id is None else str(row.message_id)
        told = answer_data(answer or "", message_id, row.outcome)
        frames.append(frame(following, "answer", turn_id, None, told))
        frames.append(
            frame(following + 1, "turn.completed", turn_id, None, completed_data(row.status, row.outcome))
        )
    return frames


def _view(row: TurnRow, answer: str | None) -> TurnView:
    failed = row.status == TurnStatus.FAILED
    told: dict[str, Any] = {} if failed else row.outcome or {}
    return TurnView(
        id=row.id,
        conversation_id=row.conversation_id,
        status=row.status,
        seed=row.seed,
        model=row.model,
        iterations=row.iterations,
        confidence=told.get("confidence"),
        convergence_score=told.get("convergence_score"),
        exit_reason=told.get("exit_reason"),
        answer=answer,
        degraded_reasons=tuple(told.get("degraded_reasons", ())),
        tools_used=tuple(told.get("tools_used", ())),
        failure=row.outcome if failed else None,
        started_at=row.created_at,
        completed_at=row.completed_at,
        first_token_ms=told.get("first_token_ms"),
        latency_ms=told.get("latency_ms"),
    )
