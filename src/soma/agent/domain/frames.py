"""Stream frames: what a client of a turn sees, live or afterwards.

A running turn emits frames one by one. What is kept of them is a script: the order of the frames and
the lengths of the text deltas. Together with the iteration it belongs to, the script gives the same
frames with the same ids again, so a client that lost its connection goes on where it was.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from soma.agent.domain.iteration import Iteration
from soma.agent.domain.tool import ToolCall, ToolExecution

ATTEMPT_STRIDE = 100_000
"""Ids of a later attempt start at the next multiple: ids that a crash lost are never used again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """One event of a turn's stream; `id` grows within the turn."""

    id: int
    event: str
    data: dict[str, Any]


def append_delta(script: list[list[Any]], length: int) -> None:
    """Note a text delta of `length` characters; runs of deltas share one entry."""
    if script and script[-1][0] == "delta":
        script[-1].append(length)
    else:
        script.append(["delta", length])


def replayed(turn_id: str, iteration: Iteration) -> Iterator[Frame]:
    """The frames of a committed iteration."""
    number = iteration.first_frame_id
    offset = 0
    for name, *arguments in iteration.script:
        if name == "delta":
            for length in arguments:
                text = iteration.content[offset : offset + length]
                offset += length
                yield frame(number, "answer.delta", turn_id, iteration.number, {"text": text})
                number += 1
            continue
        yield frame(number, name, turn_id, iteration.number, _data(name, arguments, iteration))
        number += 1


def frame(number: int, event: str, turn_id: str, iteration: int | None, data: dict[str, Any]) -> Frame:
    """A frame with the fields that every frame has."""
    return Frame(id=number, event=event, data={"turn_id": turn_id, "iteration": iteration, **data})


def plan_data(iteration: Iteration) -> dict[str, Any]:
    """What the loop is about to do and with what."""
    return plan_of(
        lanes=iteration.lanes,
        evidence=[
            {
                "id": block.id,
                "content": block.content,
                "score": block.score,
                "source": block.provenance.get("conversation_id"),
            }
            for block in iteration.evidence
        ],
        suggestions=iteration.suggestions,
        tools=iteration.offered,
        model=iteration.model,
        capabilities=iteration.capabilities,
    )


def plan_of(
    *,
    lanes: dict[str, Any],
    evidence: list[dict[str, Any]],
    suggestions: Sequence[dict[str, Any]],
    tools: Sequence[str],
    model: str,
    capabilities: Sequence[str],
) -> dict[str, Any]:
    """The data of a plan frame."""
    return {
        "lanes": lanes["tokens"],
        "lane_budget": lanes["budget"],
        "lane_use": lanes.get("used", {}),
        "cut": lanes["cut"],
        "cut_items": lanes.get("cut_items", []),
        "evidence": evidence,
        "suggestions": list(suggestions),
        "tools": list(tools),
        "model": model,
        "capabilities": list(capabilities),
    }


def intent_data(call: ToolCall, *, allowed: bool, reasons: Sequence[str]) -> dict[str, Any]:
    """A tool call and what policy said of it."""
    return {
        "call_id": call.call_id,
        "tool": call.tool,
        "arguments": call.arguments,
        "decision": "allow" if allowed else "deny",
        "reasons": list(reasons),
    }


def done_data(execution: ToolExecution) -> dict[str, Any]:
    """What came of a tool call."""
    return {
        "call_id": execution.call.call_id,
        "tool": execution.call.tool,
        "status": execution.status.value,
        "output": execution.output,
        "latency_ms": execution.latency_ms,
    }


def verify_data(iteration: Iteration) -> dict[str, Any]:
    """The assessment of an iteration."""
    return {
        "confidence": iteration.confidence,
        "confidence_source": iteration.confidence_source,
        "convergence_score": iteration.convergence_score,
        "success_factor": iteration.success_factor,
        "tool_utility": iteration.tool_utility,
        "decision": iteration.decision,
    }


def _data(name: str, arguments: list[Any], iteration: Iteration) -> dict[str, Any]:
    if name == "plan":
        return plan_data(iteration)
    if name == "verify":
        return verify_data(iteration)
    if name == "learn":
        return iteration.learning
    execution = iteration.executions[arguments[0]]
    if name == "tool.intent":
        return intent_data(execution.call, allowed=execution.allowed, reasons=execution.reasons)
    return done_data(execution)
