"""A turn: one message and its way to an answer."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from soma.base.tenancy import Principal


class TurnStatus(StrEnum):
    """RUNNING has a lease; the others are final."""

    RUNNING = "running"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """A turn as its runner needs it. `seeded` says that the caller gave the seed; `attempts` says for each
    attempt its first frame id and the iteration it resumed at."""

    id: UUID
    principal: Principal
    conversation_id: UUID
    agent_id: UUID
    capsule_version: int
    user_message_id: UUID
    seed: int
    seeded: bool
    model: str
    rlm: bool
    input_hash: str
    lease_owner: str
    attempt: int
    attempts: tuple[dict[str, Any], ...]
    created_at: datetime

    @property
    def first_frame_id(self) -> int:
        """The id of this attempt's first frame."""
        number: int = self.attempts[-1]["first_frame_id"]
        return number

    @property
    def stuck_attempts(self) -> int:
        """How many attempts in a row began at the iteration at which this one begins."""
        resumed_at = [attempt["resumed_iteration"] or 0 for attempt in self.attempts]
        others = (back for back, number in enumerate(reversed(resumed_at)) if number != resumed_at[-1])
        return next(others, len(resumed_at))


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How a turn ended."""

    exit_reason: str
    iterations: int
    confidence: float
    convergence_score: float
    tools_used: tuple[str, ...]
    degraded_reasons: tuple[str, ...]
    prompt_tokens: int
    completion_tokens: int
    first_token_ms: float | None
    latency_ms: float

    def to_dict(self) -> dict[str, Any]:
        """The JSON form that the turn row keeps."""
        return {
            "exit_reason": self.exit_reason,
            "iterations": self.iterations,
            "confidence": self.confidence,
            "convergence_score": self.convergence_score,
            "tools_used": list(self.tools_used),
            "degraded_reasons": list(self.degraded_reasons),
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "first_token_ms": self.first_token_ms,
            "latency_ms": self.latency_ms,
        }
