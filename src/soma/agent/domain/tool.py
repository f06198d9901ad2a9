"""What a tool is, what a call of it is, and what came of the call."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from soma.base.canonical import canonical_bytes, sha256_hex

MAXIMUM_OUTPUT_BYTES = 256 * 1024


class ToolStatus(StrEnum):
    """How a tool call ended."""

    OK = "ok"
    ERROR = "error"
    DENIED = "denied"
    TIMEOUT = "timeout"
    BREAKER_OPEN = "breaker_open"
    UNCERTAIN = "uncertain"
    """It may have run before a crash and must not run twice: a person has to look."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolExample:
    """A request and the arguments that answer it: how a small model is shown what a call looks like."""

    request: str
    arguments: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolSpec:
    """A capability of a capsule. `triggers` are regular expressions: a model without native tool calls
    is offered the tool when the message matches one of them."""

    name: str
    description: str
    input_schema: dict[str, Any]
    output_schema: dict[str, Any]
    triggers: tuple[str, ...] = ()
    examples: tuple[ToolExample, ...] = ()
    idempotent: bool = False
    enabled: bool = True
    timeout_seconds: float = 60.0

    def triggered_by(self, message: str) -> bool:
        """Whether `message` looks like a request that this tool can help with."""
        return any(re.search(pattern, message, re.IGNORECASE) for pattern in self.triggers)

    def call_schema(self) -> dict[str, Any]:
        """JSON Schema of a call of this tool written out as an object."""
        return {
            "type": "object",
            "properties": {"tool": {"const": self.name}, "arguments": self.input_schema},
            "required": ["tool", "arguments"],
            "additionalProperties": False,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolCall:
    """The model's wish to use a tool."""

    call_id: str
    tool: str
    arguments: dict[str, Any]

    @property
    def arguments_hash(self) -> str:
        """SHA-256 of the canonical arguments."""
        return sha256_hex(canonical_bytes(self.arguments))


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolExecution:
    """What was decided about a call and what came of it."""

    call: ToolCall
    status: ToolStatus
    output: Any
    reasons: tuple[str, ...]
    policy_hash: str
    latency_ms: float
    idempotency_key: str
    started_at: datetime
    completed_at: datetime

    @property
    def allowed(self) -> bool:
        """Whether policy let the call through."""
        return self.status is not ToolStatus.DENIED

    @property
    def executed(self) -> bool:
        """Whether the tool was really started."""
        return self.status in {ToolStatus.OK, ToolStatus.ERROR, ToolStatus.TIMEOUT}

    def sentence(self) -> str:
        """The result as the model reads it."""
        if self.status is ToolStatus.OK:
            return f"The {self.call.tool} gave the result {plain(self.output)}."
        return f"The {self.call.tool} gave no result: {plain(self.output)}."


def plain(output: Any) -> str:
    """A tool's output as text: of an object with one member the member, of texts the texts, else JSON."""
    value = next(iter(output.values())) if isinstance(output, dict) and len(output) == 1 else output
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return "; ".join(value) or "nothing"
    return value if isinstance(value, str) else canonical_bytes(value).decode()
