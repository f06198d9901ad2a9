"""Feedback and facts as turns produce them."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from soma.brain.api import Feedback, LearnedState, RewardParts
from soma.brain.api import RememberItem as Item

AGENT = "agent"
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def feedback(
    tenant: UUID,
    turn: UUID,
    iteration: int = 0,
    *,
    confidence: float = 0.9,
    agent: str = AGENT,
    state: LearnedState | None = None,
) -> Feedback:
    """What an iteration that recalled nothing (so is wholly new) tells."""
    return Feedback(
        tenant_id=tenant,
        agent_id=agent,
        turn_id=turn,
        iteration=iteration,
        reward=RewardParts(confidence=confidence, latency_ms=100.0, deadline_ms=1000.0),
        novelty=1.0,
        state=state,
    )


def told(content: str, key: str | None = None, **changes: Any) -> Item:
    """Something a person said, in the namespace "n"."""
    values: dict[str, Any] = {
        "namespace": "n",
        "key": key or content,
        "content": content,
        "role": "user",
        "occurred_at": NEW_YEAR,
        "provenance": {"trace_id": "t", "source_turn": "turn-1"},
    }
    return Item(**{**values, **changes})
