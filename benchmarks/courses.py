"""A model that costs nothing and takes a turn through a course of its own: tools, failures, denials."""

import asyncio
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any

from soma.agent.api import ModelDelta, ModelOutput, ModelRequest, ModelUnavailable, ToolCall

STOPPED_WITHIN = 5.0
"""Seconds after which who was to stop a turn is taken to have gone with a process that was killed."""
LOGPROBS = (-0.05, -0.2, -0.01)
Call = tuple[str, dict[str, Any]]
ADD: Call = ("calculator", {"expression": "2 + 40"})
FAILS: Call = ("calculator", {"expression": "1 / 0"})
WRONG: Call = ("calculator", {"what": "is that"})
DENIED: Call = ("printer", {"pages": 3})
CLOCK: Call = ("clock", {"timezone": "UTC"})
RECALL: Call = ("memory_recall", {"query": "bottles"})

COURSES: dict[str, tuple[tuple[Call, ...] | str, ...]] = {
    "answer": ("It is 42 of {seed}.",),
    "a tool": ((ADD,), "It is 42, said for {seed}."),
    "four tool calls": ((ADD,), (CLOCK,), (ADD,), (RECALL,), "Then it is 42 for {seed}."),
    "tools at once": ((ADD, CLOCK, RECALL, ADD), "All of it for {seed}: 42."),
    "a tool fails": ((FAILS,), "That cannot be done for {seed}."),
    "arguments do not fit": ((WRONG,), (ADD,), "At last 42 for {seed}."),
    "a tool is denied": ((DENIED,), "I have no printer for {seed}."),
    "one of two is denied": ((ADD, DENIED), "42 for {seed}, but no printer."),
    "the model is gone": ("unavailable",),
    "the model goes": ((ADD,), "unavailable"),
    "somebody stops it": ((ADD,), "stopped"),
    "a long answer": ((CLOCK,), "Of {seed} there is much to say. " * 400),
}
"""By name, what the model does in each iteration: call tools, say something, or be gone."""


def course_of(seed: int) -> str:
    """The course of the turns with this seed."""
    return list(COURSES)[seed % len(COURSES)]


class CourseModel:
    """A ModelPort. A turn's seed says which course it takes; one that a crash has interrupted begins the
    course anew."""

    name = "courses"
    native_tools = True
    reproducible = False
    context_limit = 1_000_000

    def __init__(self) -> None:
        self._iterations: dict[int, int] = defaultdict(int)

    async def stream(
        self, request: ModelRequest, stop: asyncio.Event
    ) -> AsyncIterator[ModelDelta | ModelOutput]:
        """See ModelPort."""
        steps = COURSES[course_of(request.seed)]
        step = steps[min(self._iterations[request.seed], len(steps) - 1)]
        self._iterations[request.seed] += 1
        if isinstance(step, tuple):
            yield _output("", *(ToolCall(call_id="", tool=tool, arguments=given) for tool, given in step))
            return
        if step == "unavailable":
            raise ModelUnavailable("the model is gone")
        text = ("One moment. " if step == "stopped" else step).format(seed=request.seed)
        for word in re.findall(r"\s*\S+\s*", text):
            yield ModelDelta(text=word)
        if step == "stopped":
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), STOPPED_WITHIN)
        yield _output(text, cancelled=stop.is_set())

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """A token every four characters."""
        return [len(text) // 4 for text in texts]


def _output(text: str, *calls: ToolCall, cancelled: bool = False) -> ModelOutput:
    ended = "tool_use" if calls else "end_turn"
    return ModelOutput(
        text=text,
        stop_reason="cancelled" if cancelled else ended,
        prompt_tokens=100,
        completion_tokens=len(LOGPROBS),
        logprobs=LOGPROBS,
        tool_calls=calls,
    )
