"""Between rows and domain records."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from soma.agent.domain.evidence import EvidenceBlock
from soma.agent.domain.iteration import Iteration
from soma.agent.domain.tool import ToolCall, ToolExecution, ToolStatus
from soma.agent.domain.turn import Turn
from soma.agent.models import RLMIterationRow, ToolExecutionRow, TurnRow
from soma.base.ids import new_id
from soma.base.tenancy import Principal


def turn_of(row: TurnRow) -> Turn:
    """The turn of a row, with the principal who asked for it."""
    return Turn(
        id=row.id,
        principal=Principal(
            tenant_id=row.tenant_id,
            user_id=row.user_id,
            session_id=row.session_id,
            roles=tuple(row.roles),
            trace_id=row.trace_id,
        ),
        conversation_id=row.conversation_id,
        agent_id=row.agent_id,
        capsule_version=row.capsule_version,
        user_message_id=row.user_message_id,
        seed=row.seed,
        seeded=row.seeded,
        model=row.model,
        rlm=row.rlm,
        input_hash=row.input_hash,
        lease_owner=row.lease_owner,
        attempt=row.attempt,
        attempts=tuple(row.attempts),
        created_at=row.created_at,
    )


def iteration_row(turn: Turn, iteration: Iteration) -> RLMIterationRow:
    """The row of an iteration."""
    return RLMIterationRow(
        id=new_id(),
        tenant_id=turn.principal.tenant_id,
        turn_id=turn.id,
        number=iteration.number,
        record=iteration.record(),
        content=iteration.content,
        script=list(iteration.script),
        first_frame_id=iteration.first_frame_id,
        started_at=iteration.started_at,
        completed_at=iteration.completed_at,
    )


def execution_row(turn: Turn, number: int, position: int, execution: ToolExecution) -> ToolExecutionRow:
    """The row of a finished tool call."""
    return ToolExecutionRow(
        id=new_id(),
        tenant_id=turn.principal.tenant_id,
        turn_id=turn.id,
        iteration=number,
        position=position,
        call_id=execution.call.call_id,
        tool=execution.call.tool,
        arguments=execution.call.arguments,
        idempotency_key=execution.idempotency_key,
        status=execution.status.value,
        output=execution.output,
        reasons=list(execution.reasons),
        policy_hash=execution.policy_hash,
        latency_ms=execution.latency_ms,
        started_at=execution.started_at,
        completed_at=execution.completed_at,
    )


def iterations_of(turn_id: UUID) -> list[Iteration]:
    """The committed iterations of a turn, in order, inside an open transaction."""
    # Iterations first: one that commits between the two queries would have its script but not its tools.
    rows = list(RLMIterationRow.objects.filter(turn_id=turn_id).order_by("number"))
    executions: dict[int, list[ToolExecution]] = {}
    finished = ToolExecutionRow.objects.filter(turn_id=turn_id, completed_at__isnull=False)
    for row in finished.order_by("iteration", "position"):
        executions.setdefault(row.iteration, []).append(_execution(row))
    return list(_iterations(rows, executions))


def _iterations(
    rows: Iterable[RLMIterationRow], executions: dict[int, list[ToolExecution]]
) -> Iterable[Iteration]:
    evidence: tuple[EvidenceBlock, ...] = ()
    for row in rows:
        record: dict[str, Any] = dict(row.record)
        blocks = record.pop("evidence")
        evidence = tuple(map(EvidenceBlock.from_dict, blocks)) if row.number == 0 else evidence
        yield Iteration(
            number=row.number,
            content=row.content,
            evidence=evidence,
            executions=tuple(executions.get(row.number, ())),
            script=tuple(row.script),
            first_frame_id=row.first_frame_id,
            started_at=row.started_at,
            completed_at=row.completed_at,
            suggestions=tuple(record.pop("suggestions", ())),
            offered=tuple(record.pop("offered")),
            capabilities=tuple(record.pop("capabilities")),
            phases=tuple((name, offset, ms) for name, offset, ms in record.pop("phases")),
            **record,
        )


def _execution(row: ToolExecutionRow) -> ToolExecution:
    assert row.completed_at is not None  # noqa: S101 - the query asks for finished ones
    return ToolExecution(
        call=ToolCall(call_id=row.call_id, tool=row.tool, arguments=row.arguments),
        status=ToolStatus(row.status),
        output=row.output,
        reasons=tuple(row.reasons),
        policy_hash=row.policy_hash,
        latency_ms=row.latency_ms or 0.0,
        idempotency_key=row.idempotency_key,
        started_at=row.started_at,
        completed_at=row.completed_at,
    )
