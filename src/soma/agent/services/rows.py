"""Between rows and domain records."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from soma.agent.domain import iteration_document
from soma.agent.domain.iteration import Iteration
from soma.agent.domain.turn import Turn
from soma.agent.models import RLMIterationRow, ToolExecutionRow, TurnRow
from soma.base.clock import iso
from soma.base.ids import new_id
from soma.base.tenancy import Principal
from soma.events.api import require_blobs


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


def iteration_row(turn: Turn, document: Mapping[str, Any]) -> RLMIterationRow:
    """The row of an iteration, from its document."""
    return RLMIterationRow(
        id=new_id(),
        tenant_id=turn.principal.tenant_id,
        turn_id=turn.id,
        number=document["number"],
        record=document["record"],
        content=document["content"] or "",
        content_hash=document["content_hash"],
        script=document["script"],
        first_frame_id=document["first_frame_id"],
        started_at=datetime.fromisoformat(document["started_at"]),
        completed_at=datetime.fromisoformat(document["completed_at"]),
    )


def execution_row(turn: Turn, number: int, position: int, one: Mapping[str, Any]) -> ToolExecutionRow:
    """The row of a finished tool call, from its document."""
    return ToolExecutionRow(
        id=new_id(),
        tenant_id=turn.principal.tenant_id,
        turn_id=turn.id,
        iteration=number,
        position=position,
        call_id=one["call_id"],
        tool=one["tool"],
        arguments=one["arguments"],
        arguments_hash=one["arguments_hash"],
        idempotency_key=one["idempotency_key"],
        status=one["status"],
        output=one["output"],
        output_hash=one["output_hash"],
        reasons=one["reasons"],
        policy_hash=one["policy_hash"],
        latency_ms=one["latency_ms"],
        started_at=datetime.fromisoformat(one["started_at"]),
        completed_at=datetime.fromisoformat(one["completed_at"]),
    )


def iterations_of(turn_id: UUID) -> list[Iteration]:
    """The committed iterations of a turn, in order, inside an open transaction. Raises BlobMissing."""
    documents = documents_of(turn_id)
    hashes = {name for each in documents for name in iteration_document.hashes_in(each)}
    contents: Mapping[str, bytes] = {}
    if hashes:
        owner = TurnRow.objects.values_list("conversation_id", flat=True).get(id=turn_id)
        contents = require_blobs([owner], hashes)
    return iteration_document.iterations_of(documents, contents)


def documents_of(turn_id: UUID) -> list[dict[str, Any]]:
    """The documents of a turn's committed iterations, in order, inside an open transaction."""
    # Iterations first: one that commits between the two queries would have its script but not its tools.
    rows = list(RLMIterationRow.objects.filter(turn_id=turn_id).order_by("number"))
    executions: dict[int, list[dict[str, Any]]] = {}
    finished = ToolExecutionRow.objects.filter(turn_id=turn_id, completed_at__isnull=False)
    for row in finished.order_by("iteration", "position"):
        executions.setdefault(row.iteration, []).append(_execution(row))
    return list(_documents(rows, executions))


def _documents(
    rows: Iterable[RLMIterationRow], executions: Mapping[int, list[dict[str, Any]]]
) -> Iterable[dict[str, Any]]:
    for row in rows:
        yield {
            "number": row.number,
            "record": row.record,
            "content": None if row.content_hash else row.content,
            "content_hash": row.content_hash,
            "executions": executions.get(row.number, []),
            "script": row.script,
            "first_frame_id": row.first_frame_id,
            "started_at": iso(row.started_at),
            "completed_at": iso(row.completed_at),
        }


def _execution(row: ToolExecutionRow) -> dict[str, Any]:
    assert row.completed_at is not None  # noqa: S101 - the query asks for finished ones
    return {
        "call_id": row.call_id,
        "tool": row.tool,
        "arguments": row.arguments,
        "arguments_hash": row.arguments_hash,
        "status": row.status,
        "output": row.output,
        "output_hash": row.output_hash,
        "reasons": row.reasons,
        "policy_hash": row.policy_hash,
        "latency_ms": row.latency_ms or 0.0,
        "idempotency_key": row.idempotency_key,
        "started_at": iso(row.started_at),
        "completed_at": iso(row.completed_at),
    }
