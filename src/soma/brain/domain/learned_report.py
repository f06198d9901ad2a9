"""What an agent has learned, and by which checkpoints it came there."""

from dataclasses import dataclass, field
from typing import Any

from soma.brain.domain.checkpoint import Checkpoint
from soma.brain.domain.learned_state import LearnedState
from soma.brain.domain.ranking_state import RankingState
from soma.brain.domain.signal_weights import SignalWeights

SHIPPED = SignalWeights().to_dict()


@dataclass(frozen=True, kw_only=True, slots=True)
class LearnedRanking:
    """How the agent ranks `namespace`, as of its checkpoint `version`: by `weights`, which mix the shipped
    ones, the agent's and the namespace's own."""

    namespace: str
    version: int
    state: RankingState
    weights: SignalWeights

    def to_dict(self) -> dict[str, Any]:
        """The JSON object that answers show."""
        return {
            "namespace": self.namespace,
            "version": self.version,
            "weights": self.weights.to_dict(),
            "moved": {name: now - SHIPPED[name] for name, now in self.weights.to_dict().items()},
            **self.state.to_dict(),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class LearnedReport:
    """Where an agent stands, its latest `checkpoints`, oldest first, and its learned `rankings` by namespace.
    An agent that has learned nothing yet stands at the baseline and has neither."""

    agent_id: str
    state: LearnedState = field(default_factory=LearnedState)
    checkpoints: tuple[Checkpoint, ...] = ()
    rankings: tuple[LearnedRanking, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The JSON object that answers show."""
        return {
            "agent_id": self.agent_id,
            **self.state.to_dict(),
            "checkpoints": [each.to_dict() for each in self.checkpoints],
            "rankings": [each.to_dict() for each in self.rankings],
        }
