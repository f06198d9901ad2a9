"""Tool calls in what a model wrote."""

from uuid import UUID

from soma.agent.domain.model import ModelOutput
from soma.agent.domain.prompt import PromptMode
from soma.agent.domain.tool import ToolCall
from soma.base.canonical import json_value


def parse_calls(output: ModelOutput, mode: PromptMode, turn_id: UUID, iteration: int) -> tuple[ToolCall, ...]:
    """The calls of `output`; none when a constrained call was cut short and is no JSON."""
    if mode is PromptMode.CALL:
        return _written_call(output.text, f"{turn_id}:{iteration}:0")
    return tuple(
        call
        if call.call_id
        else ToolCall(call_id=f"{turn_id}:{iteration}:{position}", tool=call.tool, arguments=call.arguments)
        for position, call in enumerate(output.tool_calls)
    )


def _written_call(text: str, call_id: str) -> tuple[ToolCall, ...]:
    try:
        value = json_value(text)
    except ValueError:
        return ()
    if not isinstance(value, dict) or not isinstance(value.get("arguments"), dict):
        return ()
    return (ToolCall(call_id=call_id, tool=str(value.get("tool")), arguments=value["arguments"]),)
