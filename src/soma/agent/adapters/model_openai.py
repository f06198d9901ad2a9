"""Any OpenAI-compatible endpoint, over plain HTTP.

The vendor's SDK spends more time on a long history than the request takes; the protocol is small.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import httpx

from soma.agent.domain.model import OUT_OF_TIME, ModelDelta, ModelOutput, ModelRequest
from soma.agent.domain.tool import ToolCall, ToolSpec
from soma.agent.errors import ModelUnavailable
from soma.base.canonical import json_value
from soma.base.configuration import RemoteModel

BYTES_PER_TOKEN = 4
"""An estimate for lanes only: the provider's own count is recorded with each iteration."""


class OpenAIModel:
    """A remote model."""

    context_limit = 128_000
    reproducible = False

    def __init__(self, remote: RemoteModel) -> None:
        self.name = remote.model
        self.native_tools = remote.native_tools
        headers = {"Authorization": f"Bearer {remote.api_key}"} if remote.api_key else {}
        self._url = f"{remote.base_url}/chat/completions"
        self._http = httpx.AsyncClient(headers=headers, timeout=httpx.Timeout(60.0, connect=5.0))

    async def stream(
        self, request: ModelRequest, stop: asyncio.Event
    ) -> AsyncIterator[ModelDelta | ModelOutput]:
        """See ModelPort."""
        gathered = _Gathered()
        try:
            async with (
                asyncio.timeout(request.timeout_seconds),
                self._http.stream("POST", self._url, json=self._payload(request)) as answer,
            ):
                if answer.status_code != httpx.codes.OK:
                    text = (await answer.aread()).decode(errors="replace")[:500]
                    raise ModelUnavailable(f"{self.name} answered {answer.status_code}: {text}")
                async for line in answer.aiter_lines():
                    if stop.is_set() or line == "data: [DONE]":
                        break
                    text = gathered.add(line)
                    if text:
                        yield ModelDelta(text=text)
            output = gathered.output(stopped=stop.is_set())
        except TimeoutError as error:
            if not (request.keep_partial and request.schema is None and gathered.is_text):
                raise ModelUnavailable(f"{self.name} does not answer: {error!r}") from error
            output = replace(gathered.output(stopped=False), stop_reason=OUT_OF_TIME)
        except (httpx.HTTPError, ValueError, KeyError) as error:
            raise ModelUnavailable(f"{self.name} does not answer: {error!r}") from error
        yield output

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See ModelPort; an estimate of one token for four bytes."""
        return [-(-len(text.encode()) // BYTES_PER_TOKEN) for text in texts]

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def _payload(self, request: ModelRequest) -> dict[str, Any]:
        payload: dict[str, Any] = {
            "model": self.name,
            "messages": [message.to_dict() for message in request.messages],
            "seed": request.seed,
            "temperature": request.temperature,
            "max_tokens": request.max_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
            "logprobs": True,
        }
        if request.schema is not None:
            payload["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "call", "schema": request.schema},
            }
        if request.tools and self.native_tools:
            payload["tools"] = [_function(tool) for tool in request.tools]
        return payload


class _Gathered:
    def __init__(self) -> None:
        self._text: list[str] = []
        self._logprobs: list[float] = []
        self._calls: dict[int, dict[str, str]] = {}
        self._stop_reason = ""
        self._usage: dict[str, int] = {}

    @property
    def is_text(self) -> bool:
        """Whether something was said, and no tool call begun."""
        return any(self._text) and not self._calls

    def add(self, line: str) -> str:
        if not line.startswith("data: "):
            return ""
        value = json_value(line[len("data: ") :])
        self._usage = value.get("usage") or self._usage
        if not value.get("choices"):
            return ""
        choice = value["choices"][0]
        self._stop_reason = choice.get("finish_reason") or self._stop_reason
        for token in (choice.get("logprobs") or {}).get("content") or []:
            self._logprobs.append(token["logprob"])
        delta = choice.get("delta") or {}
        for part in delta.get("tool_calls") or []:
            self._add_call(part)
        text = delta.get("content") or ""
        self._text.append(text)
        return text

    def _add_call(self, part: dict[str, Any]) -> None:
        call = self._calls.setdefault(part.get("index", 0), {"id": "", "name": "", "arguments": ""})
        function = part.get("function") or {}
        call["id"] = part.get("id") or call["id"]
        call["name"] += function.get("name") or ""
        call["arguments"] += function.get("arguments") or ""

    def output(self, *, stopped: bool) -> ModelOutput:
        calls = tuple(
            ToolCall(call_id=call["id"], tool=call["name"], arguments=json_value(call["arguments"] or "{}"))
            for _, call in sorted(self._calls.items())
        )
        return ModelOutput(
            text="".join(self._text),
            stop_reason="cancelled" if stopped else self._reason(),
            prompt_tokens=self._usage.get("prompt_tokens", 0),
            completion_tokens=self._usage.get("completion_tokens", len(self._logprobs)),
            logprobs=tuple(self._logprobs),
            tool_calls=calls,
        )

    def _reason(self) -> str:
        return {"stop": "end_turn", "tool_calls": "tool_use"}.get(self._stop_reason, "length")


def _function(tool: ToolSpec) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.input_schema,
        },
    }
