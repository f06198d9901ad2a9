"""A model that costs nothing, over the agent's own model port: what is left is the cost of the turn."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence

from benchmarks.contender import ITERATIONS, answer, expression
from soma.agent.api import ModelDelta, ModelOutput, ModelRequest, ToolCall

LOGPROBS = (-0.05,) * 12


class ZeroCostModel:
    """A ModelPort. Calls the calculator in all iterations but the last, then answers, word by word.

    Turns are told apart by their seed, so every turn needs one of its own.
    """

    name = "zero-cost"
    native_tools = True
    reproducible = False
    context_limit = 1_000_000

    def __init__(self) -> None:
        self._iterations: dict[int, int] = {}

    async def stream(
        self, request: ModelRequest, stop: asyncio.Event
    ) -> AsyncIterator[ModelDelta | ModelOutput]:
        """See ModelPort."""
        iteration = self._iterations.pop(request.seed, 0)
        if iteration < ITERATIONS - 1:
            self._iterations[request.seed] = iteration + 1
            arguments = {"expression": expression(iteration)}
            yield _output("", "tool_use", ToolCall(call_id="", tool="calculator", arguments=arguments))
            return
        text = answer(request.seed)
        for word in re.findall(r"\s*\S+", text):
            yield ModelDelta(text=word)
        yield _output(text, "end_turn")

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """A token every four characters."""
        return [len(text) // 4 for text in texts]


def _output(text: str, stop_reason: str, *calls: ToolCall) -> ModelOutput:
    return ModelOutput(
        text=text,
        stop_reason=stop_reason,
        prompt_tokens=100,
        completion_tokens=len(LOGPROBS),
        logprobs=LOGPROBS,
        tool_calls=calls,
    )
