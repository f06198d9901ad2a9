"""One transaction for an iteration: its row, its tools, what was learnt, its events. The resume point."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.db import connections

from soma.agent.domain.iteration import Iteration
from soma.agent.domain.tool import ToolExecution
from soma.agent.domain.turn import Turn
from soma.agent.errors import LeaseLost
from soma.agent.models import ToolExecutionRow
from soma.agent.services.leases import LEASE_SECONDS
from soma.agent.services.record_intent import STARTED
from soma.agent.services.rows import execution_row, iteration_row
from soma.agent.services.turn_event import turn_event
from soma.base import clock
from soma.base.canonical import json_bytes, sha256_hex
from soma.base.database import APP, tenant_transaction
from soma.base.insertion import insert
from soma.brain.api import Brain, Feedback, LearnedState
from soma.events.api import Event, publish


def commit_iteration(
    turn: Turn,
    draft: Iteration,
    feedback: Feedback | None,
    learned: LearnedState,
    brain: Brain,
    *,
    noted: bool,
) -> tuple[Iteration, LearnedState]:
    """Learn from `feedback` and store everything; the iteration with its learning, and the new state.

    None for `feedback` is an interrupted iteration, which teaches nothing. `noted` says that intents of
    its tools were committed before; their results replace them. Raises LeaseLost, and then nothing is
    stored.
    """
    with tenant_transaction(turn.principal.tenant_id):
        _advance(turn, draft.number + 1)
        _store_executions(turn, draft, noted=noted)
        if feedback is None:
            taught, after = _nothing_learned(learned), learned
        else:
            learning = brain.apply_feedback(feedback)
            taught, after = learning.to_dict(), learning.after
        iteration = replace(draft, learning=taught, completed_at=clock.now())
        insert(iteration_row(turn, iteration))
        publish(
            _completed(turn, iteration), *(_executed(turn, iteration, one) for one in iteration.executions)
        )
    return iteration, after


ADVANCE_TURN = """
    UPDATE turn SET iterations = %s, lease_expires_at = %s
    WHERE id = %s AND lease_owner = %s AND attempt = %s AND status = 'running'
"""
"""Moves a turn on if this attempt still holds its lease. SQL, because it is the one statement that every
iteration of every turn waits for, and the ORM takes six times its time to write it."""


def _advance(turn: Turn, iterations: int) -> None:
    until = clock.now() + timedelta(seconds=LEASE_SECONDS)
    with connections[APP].cursor() as cursor:
        cursor.execute(ADVANCE_TURN, [iterations, until, turn.id, turn.lease_owner, turn.attempt])
        if cursor.rowcount != 1:
            raise LeaseLost("the turn's lease has passed to another process")


def _store_executions(turn: Turn, iteration: Iteration, *, noted: bool) -> None:
    if not iteration.executions:
        return
    if noted:
        ToolExecutionRow.objects.filter(
            turn_id=turn.id,
            iteration=iteration.number,
            status=STARTED,
            tool__in=[one.call.tool for one in iteration.executions],
        ).delete()
    insert(
        *(
            execution_row(turn, iteration.number, position, one)
            for position, one in enumerate(iteration.executions)
        )
    )


def _completed(turn: Turn, iteration: Iteration) -> Event:
    learning = iteration.learning
    before, after = learning["weights_before"], learning["weights_after"]
    return turn_event(
        turn,
        "chat.iteration_completed",
        {
            "conversation_id": str(turn.conversation_id),
            "agent_id": str(turn.agent_id),
            "iteration": iteration.number,
            "state": iteration.state,
            "confidence": iteration.confidence,
            "confidence_source": iteration.confidence_source,
            "convergence_score": iteration.convergence_score,
            "success_factor": iteration.success_factor,
            "tool_utility": iteration.tool_utility,
            "decision": iteration.decision,
            "prompt_tokens": iteration.prompt_tokens,
            "completion_tokens": iteration.completion_tokens,
            "prompt_hash": iteration.prompt_hash,
            "output_hash": iteration.output_hash,
            "tools_used": [one.call.tool for one in iteration.executions],
            "weights_before": before,
            "weights_after": after,
            "weight_deltas": {name: after[name] - before[name] for name in after},
            "neuromodulators_before": learning["neuromodulators_before"],
            "neuromodulators_after": learning["neuromodulators_after"],
            "reward": learning["reward"],
            "prediction_error": learning["prediction_error"],
            "salience": learning["salience"],
            "learning_applied": learning["applied"],
            "latency_ms": iteration.latency_ms,
        },
    )


def _executed(turn: Turn, iteration: Iteration, execution: ToolExecution) -> Event:
    return turn_event(
        turn,
        "tool.executed",
        {
            "iteration": iteration.number,
            "call_id": execution.call.call_id,
            "tool": execution.call.tool,
            "arguments_hash": execution.call.arguments_hash,
            "status": execution.status.value,
            "decision": "allow" if execution.allowed else "deny",
            "reasons": list(execution.reasons),
            "policy_hash": execution.policy_hash or None,
            "output_hash": sha256_hex(json_bytes(execution.output)),
            "latency_ms": execution.latency_ms,
        },
    )


def _nothing_learned(state: LearnedState) -> dict[str, Any]:
    weights, levels = state.weights.to_dict(), state.neuromodulators.to_dict()
    return {
        "weights_before": weights,
        "weights_after": weights,
        "neuromodulators_before": levels,
        "neuromodulators_after": levels,
        "reward": None,
        "prediction_error": None,
        "salience": None,
        "learning_rate": 0.0,
        "applied": False,
    }
