"""A remote model that says what a test tells it to: the provider is not ours and cannot run here."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from soma.agent.api import ModelDelta, ModelOutput, ModelRequest, ModelUnavailable, ToolCall

Reply = ModelOutput | ModelUnavailable | Callable[[ModelRequest], ModelOutput]


class ScriptedModel:
    """Gives `replies` in turn, the last one again and again. Keeps the requests it got."""

    context_limit = 100_000
    reproducible = False

    def __init__(self, *replies: Reply, native_tools: bool = True, name: str = "scripted") -> None:
        self.name = name
        self.native_tools = native_tools
        self.requests: list[ModelRequest] = []
        self.holding: asyncio.Event | None = None
        self._replies = list(replies)

    async def stream(
        self, request: ModelRequest, stop: asyncio.Event
    ) -> AsyncIterator[ModelDelta | ModelOutput]:
        """See ModelPort. While `holding` is unset, waits for it, or for `stop`, after the first word."""
        self.requests.append(request)
        reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        if isinstance(reply, ModelUnavailable):
            raise reply
        output = reply if isinstance(reply, ModelOutput) else reply(request)
        words = output.text.split(" ") if output.text else []
        for position, word in enumerate(words):
            yield ModelDelta(text=word if position == 0 else f" {word}")
            await asyncio.sleep(0)
            if self.holding is not None and not self.holding.is_set():
                await asyncio.wait(
                    [asyncio.ensure_future(self.holding.wait()), asyncio.ensure_future(stop.wait())],
                    return_when=asyncio.FIRST_COMPLETED,
                )
            if stop.is_set():
                said = " ".join(words[: position + 1])
                yield ModelOutput(text=said, stop_reason="cancelled", prompt_tokens=9, completion_tokens=1)
                return
        yield output

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """One token a word."""
        return [len(text.split()) for text in texts]


def said(text: str, *, confidence: float = 0.5) -> ModelOutput:
    """An answer with that confidence in every token."""
    tokens = len(text.split())
    return ModelOutput(
        text=text,
        stop_reason="end_turn",
        prompt_tokens=10,
        completion_tokens=tokens,
        logprobs=[math.log(confidence)] * tokens,
    )


def called(*calls: tuple[str, Mapping[str, object]], confidence: float = 0.5) -> ModelOutput:
    """A wish to use tools."""
    return ModelOutput(
        text="",
        stop_reason="tool_use",
        prompt_tokens=10,
        completion_tokens=5,
        logprobs=[math.log(confidence)],
        tool_calls=tuple(
            ToolCall(call_id=f"call-{number}", tool=tool, arguments=dict(arguments))
            for number, (tool, arguments) in enumerate(calls)
        ),
    )
