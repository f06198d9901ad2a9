"""The decision trace: every phase of a turn with its times, decisions and reasons."""

from typing import Any
from uuid import UUID

from soma.agent.domain.capsule import Capsule
from soma.agent.domain.iteration import Iteration
from soma.agent.domain.prompt import PromptParts, from_recipe
from soma.agent.domain.tool import ToolExecution
from soma.agent.models import CapsuleRow, ToolExecutionRow, TurnRow
from soma.agent.services.capsules import Capsules
from soma.agent.services.conversations import readable as readable_conversation
from soma.agent.services.gate import Gate
from soma.agent.services.load_turn import dialogue
from soma.agent.services.record_intent import STARTED
from soma.agent.services.recording import capsule_content
from soma.agent.services.rows import iterations_of
from soma.agent.services.trace_phases import phases_of
from soma.agent.services.turns import readable, thing_of
from soma.base import clock
from soma.base.database import tenant_transaction
from soma.base.tenancy import Principal
from soma.brain.api import Brain


def turn_trace(
    principal: Principal, turn_id: UUID, *, capsules: Capsules, gate: Gate, brain: Brain
) -> dict[str, Any]:
    """The trace of a turn as a JSON object. Raises NotFound, Denied."""
    with tenant_transaction(principal.tenant_id):
        row = readable(principal, turn_id, gate, action="trace:read")
        return _trace(row, capsules, brain)


def conversation_trace(
    principal: Principal, conversation_id: UUID, *, capsules: Capsules, gate: Gate, brain: Brain
) -> dict[str, Any]:
    """The traces of all turns of a conversation, in order. Raises NotFound, Denied."""
    with tenant_transaction(principal.tenant_id):
        conversation = readable_conversation(principal, conversation_id, gate)
        rows = list(TurnRow.objects.filter(conversation_id=conversation.id).order_by("id"))
        for row in rows:
            gate.require_policy(principal, "read", "trace:read", thing_of(row))
        return {
            "conversation_id": str(conversation.id),
            "turns": [_trace(row, capsules, brain) for row in rows],
        }


def _trace(row: TurnRow, capsules: Capsules, brain: Brain) -> dict[str, Any]:
    capsule = capsules.load(CapsuleRow.objects.get(id=row.agent_id))
    iterations = iterations_of(row.id)
    rendered = _prompts(row, iterations, capsule)
    made = brain.turn_line(row.tenant_id, row.id).checkpoint
    phases = [phase for each in iterations for phase in phases_of(each, capsule.loop)]
    return {
        "turn_id": str(row.id),
        "trace_id": row.trace_id,
        "conversation_id": str(row.conversation_id),
        "user_id": str(row.user_id),
        "agent_id": str(row.agent_id),
        "capsule_version": row.capsule_version,
        "capsule_hash": capsule_content(capsule).hash,
        "constitution_hash": None if made is None else made.constitution_hash,
        "policy_hashes": _policy_hashes(row, iterations),
        "checkpoint": None if made is None else {"sequence": made.sequence, "hash": made.hash},
        "status": row.status,
        "seed": row.seed,
        "model": row.model,
        "input_hash": row.input_hash,
        "output_hash": row.output_hash,
        "attempts": row.attempts,
        "started_at": clock.iso(row.created_at),
        "completed_at": None if row.completed_at is None else clock.iso(row.completed_at),
        "outcome": row.outcome,
        "cost": _cost(iterations, capsule),
        "phases": [*row.phases, *phases, *_end(row)],
        "unfinished_tools": _unfinished(row),
        "iterations": [_iteration(each, prompt) for each, prompt in zip(iterations, rendered, strict=True)],
    }


def _policy_hashes(row: TurnRow, iterations: list[Iteration]) -> list[str]:
    """Of all policies that decided something of the turn."""
    asked = {phase.get("policy_hash", "") for phase in row.phases}
    asked |= {one.policy_hash for each in iterations for one in each.executions}
    return sorted(asked - {"", None})


def _cost(iterations: list[Iteration], capsule: Capsule) -> dict[str, Any]:
    """In tokens, by model, and as a share of what the capsule lets a turn spend."""
    spent = {"prompt_tokens": 0, "completion_tokens": 0}
    by_model: dict[str, int] = {}
    for each in iterations:
        spent["prompt_tokens"] += each.prompt_tokens
        spent["completion_tokens"] += each.completion_tokens
        tokens = each.prompt_tokens + each.completion_tokens
        by_model[each.model] = by_model.get(each.model, 0) + tokens
    total, budget = sum(spent.values()), capsule.loop.turn_token_budget
    return {**spent, "tokens": total, "budget_tokens": budget, "share": total / budget, "by_model": by_model}


def _unfinished(row: TurnRow) -> list[dict[str, Any]]:
    """Calls that may have run before an interruption and have no result."""
    left = ToolExecutionRow.objects.filter(turn_id=row.id, status=STARTED).order_by("started_at")
    return [
        {
            "call_id": each.call_id,
            "tool": each.tool,
            "arguments": each.arguments,
            "iteration": each.iteration,
            "started_at": clock.iso(each.started_at),
        }
        for each in left
    ]


def _end(row: TurnRow) -> list[dict[str, Any]]:
    if row.completed_at is None:
        return []
    decision = row.status if row.outcome is None else row.outcome.get("exit_reason", row.status)
    return [{"phase": "finish", "at": clock.iso(row.completed_at), "decision": decision}]


def _iteration(each: Iteration, prompt: list[dict[str, str]] | None) -> dict[str, Any]:
    learning = each.learning
    before, after = learning["weights_before"], learning["weights_after"]
    return {
        **each.record(),
        "iteration": each.number,
        "content": each.content,
        "evidence": [block.to_dict() for block in each.evidence],
        "prompt": prompt,
        "learning": {**learning, "weight_deltas": {name: after[name] - before[name] for name in after}},
        "tools": [_execution(one) for one in each.executions],
        "started_at": clock.iso(each.started_at),
        "completed_at": clock.iso(each.completed_at),
    }


def _execution(one: ToolExecution) -> dict[str, Any]:
    return {
        "call_id": one.call.call_id,
        "tool": one.call.tool,
        "arguments": one.call.arguments,
        "arguments_hash": one.call.arguments_hash,
        "decision": "allow" if one.allowed else "deny",
        "reasons": list(one.reasons),
        "policy_hash": one.policy_hash,
        "status": one.status.value,
        "output": one.output,
        "latency_ms": one.latency_ms,
        "started_at": clock.iso(one.started_at),
        "completed_at": clock.iso(one.completed_at),
    }


def _prompts(
    row: TurnRow, iterations: list[Iteration], capsule: Capsule
) -> list[list[dict[str, str]] | None]:
    """Each iteration's prompt made again from its recipe; None where it no longer has the recorded hash."""
    message, history = dialogue(row.conversation_id, row.user_message_id)
    prompts: list[list[dict[str, str]] | None] = []
    done: list[ToolExecution] = []
    draft = ""
    for each in iterations:
        parts = PromptParts(
            system_prompt=capsule.system_prompt,
            user_message=message.content,
            history=history,
            evidence=each.evidence,
            results=tuple(done),
            tools=capsule.tools,
            draft=draft,
        )
        prompt = from_recipe(each.recipe, parts)
        same = prompt.hash == each.prompt_hash
        prompts.append([one.to_dict() for one in prompt.messages] if same else None)
        done += each.executions
        draft = each.content if each.is_answer else draft
    return prompts
