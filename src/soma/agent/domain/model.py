"""What a model is asked and what it answers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from soma.agent.domain.tool import ToolCall, ToolSpec
from soma.base.canonical import json_bytes, sha256_hex

OUT_OF_TIME = "out_of_time"
"""The stop reason of an output that a time-out cut off."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelMessage:
    """One message of a prompt, in the form every chat model takes."""

    role: str
    content: str

    def to_dict(self) -> dict[str, str]:
        """The JSON form."""
        return {"role": self.role, "content": self.content}


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelRequest:
    """A generation.

    `repetition_penalty` above 1 makes words that stand in the text already less likely; small models need
    it, and providers of large ones have no such setting. `schema` constrains the output to JSON that
    satisfies it; `tools` are offered natively and only to models that have native tool calls. With
    `keep_partial` a generation that has said something when its time is over ends there, with OUT_OF_TIME
    as its stop reason, and is not unavailable: a deadline that was cut is no reason to lose an answer.
    """

    messages: tuple[ModelMessage, ...]
    seed: int
    temperature: float
    max_tokens: int
    timeout_seconds: float
    repetition_penalty: float = 1.0
    schema: dict[str, Any] | None = None
    tools: tuple[ToolSpec, ...] = ()
    keep_partial: bool = False

    def sampling(self) -> dict[str, Any]:
        """How the model is to answer, without the prompt, as a JSON object."""
        schema = None if self.schema is None else sha256_hex(json_bytes(self.schema))
        return {
            "seed": self.seed,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "timeout_seconds": self.timeout_seconds,
            "repetition_penalty": self.repetition_penalty,
            "schema_hash": schema,
            "tools": [tool.name for tool in self.tools],
            "keep_partial": self.keep_partial,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelDelta:
    """A piece of text as it is generated."""

    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelOutput:
    """The end of a generation. `logprobs` are natural logarithms, one a token, empty where the provider
    gives none."""

    text: str
    stop_reason: str
    prompt_tokens: int
    completion_tokens: int
    logprobs: Sequence[float] = ()
    tool_calls: tuple[ToolCall, ...] = field(default_factory=tuple)


def confidence_of(logprobs: Sequence[float]) -> float | None:
    """exp(mean token log-probability), in (0, 1]; None without log-probabilities."""
    mean = mean_logprob(logprobs)
    return None if mean is None else min(1.0, math.exp(mean))


def mean_logprob(logprobs: Sequence[float]) -> float | None:
    """The mean token log-probability; None without any. That of its own mean alone is the same again."""
    return math.fsum(logprobs) / len(logprobs) if logprobs else None
