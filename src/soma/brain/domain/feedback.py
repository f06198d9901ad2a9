"""What one iteration tells the learning rule."""

import math
from dataclasses import dataclass, fields
from uuid import UUID

from soma.base.errors import InvalidInput
from soma.brain.domain.learned_state import LearnedState
from soma.brain.domain.learning_signal import LearningSignal
from soma.brain.kernels.neuromodulation import attention, urgency
from soma.brain.kernels.reward import compose_reward, used_share

RAW_URGENT_MS = 5_000.0
"""What is slow to the raw rule."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RewardParts:
    """What is known of an iteration's worth. Shares are in [0, 1] (rounding beyond is cut off); None is a
    part that was not measured. `cost` is the used share of the turn's budget.

    Raises InvalidInput for a number that is none.
    """

    confidence: float
    tool_success: float | None = None
    verification: float | None = None
    user: float | None = None
    latency_ms: float
    deadline_ms: float
    cost: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and not math.isfinite(value):
                raise InvalidInput(f"The reward part {field.name} is {value}")

    @property
    def latency(self) -> float:
        """The used share of the deadline, in [0, 1]."""
        return used_share(self.latency_ms, self.deadline_ms)

    @property
    def reward(self) -> float:
        """The reward r, in [0, 1]."""
        return compose_reward(
            confidence=_share(self.confidence),
            tool_success=_optional_share(self.tool_success),
            verification=_optional_share(self.verification),
            user=_optional_share(self.user),
            latency=self.latency,
            cost=_share(self.cost),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Feedback:
    """One iteration of one turn of an agent; iterations of a turn come in order. `novelty` is
    Recall.novelty; `errors` and `tools_used` are counts of this iteration.

    `state` is where the turn stands, for a caller that holds it (the last Learning.after, or at first
    learned_state); without it, it is looked up, which costs a statement.
    """

    tenant_id: UUID
    agent_id: str
    turn_id: UUID
    iteration: int
    reward: RewardParts
    novelty: float
    errors: int = 0
    tools_used: int = 0
    state: LearnedState | None = None

    @property
    def signals(self) -> "Signals":
        """What the learning rule takes in."""
        return self.signals_for(LearningSignal.PREDICTION_ERROR)

    def signals_for(self, signal: LearningSignal) -> "Signals":
        """What the rule that follows `signal` takes in. The raw one knows confidence, for which it also takes
        novelty, whether the iteration was slow, and whether it used a tool."""
        if signal is LearningSignal.RAW:
            confidence = _share(self.reward.confidence)
            return Signals(
                reward=confidence,
                novelty=confidence,
                urgency=float(self.reward.latency_ms > RAW_URGENT_MS),
                attention=float(self.tools_used > 0),
                follows=signal,
            )
        novelty = _share(self.novelty)
        return Signals(
            reward=self.reward.reward,
            novelty=novelty,
            urgency=urgency(self.reward.latency, self.errors),
            attention=attention(novelty, self.tools_used),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Signals:
    """The inputs of the learning rule, each in [0, 1], and which rule they are for."""

    reward: float
    novelty: float
    urgency: float
    attention: float
    follows: LearningSignal = LearningSignal.PREDICTION_ERROR


def _share(value: float) -> float:
    return min(1.0, max(0.0, value))


def _optional_share(value: float | None) -> float | None:
    return None if value is None else _share(value)
