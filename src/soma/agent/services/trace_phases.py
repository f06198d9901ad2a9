"""The phases of an iteration as a trace tells them: when, how long, what was decided, and why."""

from collections import Counter
from datetime import timedelta
from typing import Any

from soma.agent.domain.capsule import LoopSettings
from soma.agent.domain.convergence import ExitReason
from soma.agent.domain.iteration import Iteration
from soma.base import clock


def phases_of(iteration: Iteration, loop: LoopSettings) -> list[dict[str, Any]]:
    """Recall, plan, model, tools, learn, assess, in order."""
    timed = [
        {
            "phase": name,
            "iteration": iteration.number,
            "at": clock.iso(iteration.started_at + timedelta(milliseconds=offset)),
            "ms": duration,
            **_DECIDED[name](iteration),
        }
        for name, offset, duration in iteration.phases
    ]
    return [*timed, _learn(iteration), _assess(iteration, loop)]


def _recall(iteration: Iteration) -> dict[str, Any]:
    """A turn recalls once."""
    ids = [block.id for block in iteration.evidence]
    first = f"{len(ids)} recalled" if ids else "nothing recalled"
    return {
        "decision": first if iteration.number == 0 else "as in the first iteration",
        "reasons": [f"novelty {iteration.novelty:.3f}"],
        "evidence": ids,
    }


def _plan(iteration: Iteration) -> dict[str, Any]:
    offered = ", ".join(iteration.offered) or "no tools"
    cut = iteration.lanes.get("cut", {})
    reasons = [f"{tokens} tokens of {lane} had no room" for lane, tokens in cut.items()]
    return {
        "decision": iteration.mode,
        "reasons": [f"offered: {offered}", *reasons],
        "prompt_hash": iteration.prompt_hash,
    }


def _model(iteration: Iteration) -> dict[str, Any]:
    return {
        "decision": iteration.stop_reason,
        "model": iteration.model,
        "output_hash": iteration.output_hash,
        "scores": {"confidence": iteration.confidence},
        "cost": {
            "prompt_tokens": iteration.prompt_tokens,
            "completion_tokens": iteration.completion_tokens,
        },
    }


def _tools(iteration: Iteration) -> dict[str, Any]:
    counted = Counter(one.status.value for one in iteration.executions)
    refused = [one for one in iteration.executions if not one.allowed]
    return {
        "decision": ", ".join(f"{number} {status}" for status, number in counted.items()) or "none called",
        "reasons": [f"{one.call.tool}: {reason}" for one in refused for reason in one.reasons],
        "tools": [one.call.tool for one in iteration.executions],
        "policy_hashes": sorted({one.policy_hash for one in iteration.executions} - {""}),
    }


_DECIDED = {"recall": _recall, "plan": _plan, "model": _model, "tools": _tools}


def _learn(iteration: Iteration) -> dict[str, Any]:
    learning = iteration.learning
    learned = iteration.completed_at - iteration.started_at
    told = {name: learning.get(name) for name in ("reward", "prediction_error", "salience", "learning_rate")}
    known = {name: value for name, value in told.items() if value is not None}
    return {
        "phase": "learn",
        "iteration": iteration.number,
        "at": clock.iso(iteration.completed_at),
        "ms": round(max(0.0, learned.total_seconds() * 1000 - iteration.latency_ms), 3),
        "decision": "applied" if learning["applied"] else "gate closed",
        "reasons": [f"{name.replace('_', ' ')} {value:.3f}" for name, value in known.items()],
        "scores": known,
    }


def _assess(iteration: Iteration, loop: LoopSettings) -> dict[str, Any]:
    return {
        "phase": "assess",
        "iteration": iteration.number,
        "at": clock.iso(iteration.completed_at),
        "decision": iteration.decision,
        "reasons": [_why(iteration, loop)],
        "scores": {
            "convergence": iteration.convergence_score,
            "success_factor": iteration.success_factor,
            "tool_utility": iteration.tool_utility,
        },
    }


def _why(iteration: Iteration, loop: LoopSettings) -> str:
    score, threshold = iteration.convergence_score, loop.convergence_threshold
    return {
        ExitReason.CONVERGED.value: f"the score {score:.3f} reaches {threshold:g}",
        ExitReason.LLM_COMPLETED.value: f"it answered; the score {score:.3f} is below {threshold:g}",
        ExitReason.MAX_ITERATIONS.value: f"it was the last of {loop.max_iterations}",
        ExitReason.BUDGET_EXHAUSTED.value: f"the turn's {loop.turn_token_budget} tokens are spent",
        ExitReason.CANCELLED.value: "somebody stopped the turn",
    }.get(iteration.decision, "tools were called, or an answer is to be improved")
