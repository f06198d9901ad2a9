"""What earlier turns have taken and brought, and what is assumed where there were none."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PRIOR_SUCCESS = 0.9
PRIOR_CALLS = 4.0
"""A tool that never ran is expected to succeed nine times of ten; that counts as much as four calls, so that
one failure does not condemn it."""
PRIOR_TOOL_MS = 100.0
PRIOR_RECALL_MS = 20.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """A mean over `samples` measurements; a prior where there are none."""

    value: float
    samples: int = 0

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> "Figure":
        """The inverse of to_dict."""
        return cls(**value)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"value": self.value, "samples": self.samples}


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolMeasure:
    """How often a tool succeeded, in [0, 1], and what a call takes, in ms."""

    success: Figure = Figure(value=PRIOR_SUCCESS)
    latency_ms: Figure = Figure(value=PRIOR_TOOL_MS)

    @classmethod
    def of(cls, executed: int, succeeded: int, latency_ms: float) -> "ToolMeasure":
        """Of `executed` calls, `succeeded` of them, `latency_ms` each on the mean."""
        rate = (succeeded + PRIOR_CALLS * PRIOR_SUCCESS) / (executed + PRIOR_CALLS)
        return cls(
            success=Figure(value=rate, samples=executed),
            latency_ms=Figure(value=latency_ms, samples=executed),
        )

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> "ToolMeasure":
        """The inverse of to_dict."""
        return cls(**{name: Figure.from_dict(figure) for name, figure in value.items()})

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"success": self.success.to_dict(), "latency_ms": self.latency_ms.to_dict()}


@dataclass(frozen=True, kw_only=True, slots=True)
class RunMeasure:
    """A kind of model run: how long the model took (ms), the tokens it wrote, and how sure it was."""

    latency_ms: Figure
    tokens: Figure
    confidence: Figure

    @classmethod
    def prior(cls, *, latency_ms: float, tokens: float, confidence: float) -> "RunMeasure":
        """What is assumed of runs that nobody has seen."""
        return cls(
            latency_ms=Figure(value=latency_ms),
            tokens=Figure(value=tokens),
            confidence=Figure(value=confidence),
        )

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> "RunMeasure":
        """The inverse of to_dict."""
        return cls(**{name: Figure.from_dict(figure) for name, figure in value.items()})

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "latency_ms": self.latency_ms.to_dict(),
            "tokens": self.tokens.to_dict(),
            "confidence": self.confidence.to_dict(),
        }


PRIOR_CALL = RunMeasure.prior(latency_ms=800.0, tokens=24.0, confidence=0.5)
PRIOR_ANSWER = RunMeasure.prior(latency_ms=1500.0, tokens=64.0, confidence=0.5)
"""A small model on two cores writes some forty tokens a second."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measures:
    """Of the latest turns of one person with one agent and one model: the tools by name, recall, and the
    model's runs: calls of tools, answers from what it knows (`plain`), and answers to evidence or results
    (`grounded`)."""

    tools: Mapping[str, ToolMeasure] = field(default_factory=dict)
    recall_ms: Figure = Figure(value=PRIOR_RECALL_MS)
    call: RunMeasure = PRIOR_CALL
    plain: RunMeasure = PRIOR_ANSWER
    grounded: RunMeasure = PRIOR_ANSWER

    def tool(self, name: str) -> ToolMeasure:
        """What was measured of a tool, or its prior."""
        return self.tools.get(name, ToolMeasure())

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "tools": {name: each.to_dict() for name, each in self.tools.items()},
            "recall_ms": self.recall_ms.to_dict(),
            "call": self.call.to_dict(),
            "plain": self.plain.to_dict(),
            "grounded": self.grounded.to_dict(),
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> "Measures":
        """The inverse of to_dict."""
        runs = {name: RunMeasure.from_dict(value[name]) for name in ("call", "plain", "grounded")}
        return cls(
            tools={name: ToolMeasure.from_dict(each) for name, each in value["tools"].items()},
            recall_ms=Figure.from_dict(value["recall_ms"]),
            **runs,
        )
