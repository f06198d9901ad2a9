"""One pass of the loop, as it is kept and replayed."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from soma.agent.domain.evidence import EvidenceBlock
from soma.agent.domain.tool import ToolExecution


@dataclass(frozen=True, kw_only=True, slots=True)
class Iteration:
    """What one iteration asked, heard, did and taught.

    `lanes` is a LaneAllocation and `suggestions` what the planner weighed, both as JSON; turns from before
    there was a planner have none. `learning` holds weights and neuromodulators before and after, deltas,
    reward, prediction error, salience, learning rate, applied. `modulation` is what the levels at
    the turn's start did to it; it is empty where they did nothing yet. `script` is the compact order of its
    stream frames (frames.py).
    """

    number: int
    state: str
    mode: str
    content: str
    recipe: dict[str, Any]
    prompt_hash: str
    output_hash: str
    model: str
    stop_reason: str
    prompt_tokens: int
    completion_tokens: int
    confidence: float
    confidence_source: str
    convergence_score: float
    success_factor: float
    tool_utility: float
    decision: str
    lanes: dict[str, Any]
    offered: tuple[str, ...]
    capabilities: tuple[str, ...]
    evidence: tuple[EvidenceBlock, ...]
    novelty: float
    executions: tuple[ToolExecution, ...]
    learning: dict[str, Any]
    phases: tuple[tuple[str, float, float], ...]
    latency_ms: float
    script: tuple[list[Any], ...]
    suggestions: tuple[dict[str, Any], ...] = ()
    first_frame_id: int
    started_at: datetime
    completed_at: datetime
    modulation: dict[str, Any] = field(default_factory=dict)

    @property
    def is_answer(self) -> bool:
        """Whether this iteration spoke to the user."""
        return not self.executions and bool(self.content.strip())

    def record(self) -> dict[str, Any]:
        """Everything that has no column of its own, as JSON. Tool outputs are in their own rows."""
        return {
            "state": self.state,
            "mode": self.mode,
            "recipe": self.recipe,
            "prompt_hash": self.prompt_hash,
            "output_hash": self.output_hash,
            "model": self.model,
            "stop_reason": self.stop_reason,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "confidence": self.confidence,
            "confidence_source": self.confidence_source,
            "convergence_score": self.convergence_score,
            "success_factor": self.success_factor,
            "tool_utility": self.tool_utility,
            "decision": self.decision,
            "lanes": self.lanes,
            "suggestions": list(self.suggestions),
            "offered": list(self.offered),
            "capabilities": list(self.capabilities),
            "evidence": [block.to_dict() for block in self.evidence] if self.number == 0 else [],
            "novelty": self.novelty,
            "learning": self.learning,
            "modulation": self.modulation,
            "phases": [list(phase) for phase in self.phases],
            "latency_ms": self.latency_ms,
        }
