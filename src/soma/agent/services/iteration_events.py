"""What the log is told of an iteration."""

from soma.agent.domain.iteration import Iteration
from soma.agent.domain.tool import ToolExecution
from soma.agent.domain.turn import Turn
from soma.agent.services.turn_event import turn_event
from soma.base.canonical import json_bytes, sha256_hex
from soma.events.api import Event


def iteration_completed(turn: Turn, iteration: Iteration, record_hash: str) -> Event:
    """One pass is over and stored; its record is kept under `record_hash`."""
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
            "attempt": turn.attempt,
            "record_hash": record_hash,
        },
        version=2,
    )


def tool_executed(turn: Turn, iteration: Iteration, execution: ToolExecution) -> Event:
    """A tool ran in it, or was not allowed to."""
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
