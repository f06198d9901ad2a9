"""What was said of the evidence of one question, and what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from soma.base.errors import InvalidInput, LimitExceeded
from soma.brain.domain.checkpoint import Checkpoint
from soma.brain.domain.ranking_credit import Judgement, Rollback
from soma.brain.domain.ranking_state import RankingState

MAX_JUDGED = 100
"""As many memories as a recall gives."""

LARGEST_SIGNAL = 50.0
"""Signals are standardised; one beyond is no signal that recall has logged."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EvidenceFeedback:
    """Feedback on what `agent_id` recalled from `namespace` for one question. `source_id` names it: what
    comes again under the same name teaches nothing again. `judged` has the features as Evidence has them.
    With `discredits` an answer was bad, and the relevant ones are those that it used.

    Raises LimitExceeded for more than 100 memories, InvalidInput for a feature that is no finite number of
    reasonable size.
    """

    tenant_id: UUID
    agent_id: str
    namespace: str
    source_id: UUID
    judged: Sequence[Judgement]
    discredits: bool = False

    def __post_init__(self) -> None:
        if len(self.judged) > MAX_JUDGED:
            raise LimitExceeded("judged", maximum=MAX_JUDGED, actual=len(self.judged), unit="memories")
        for each in self.judged:
            for name, value in each.features.items():
                # Written so that a NaN is refused.
                if not abs(value) <= LARGEST_SIGNAL:
                    raise InvalidInput(
                        f"The signal {name} is {value}; it takes −{LARGEST_SIGNAL} to {LARGEST_SIGNAL}"
                    )


@dataclass(frozen=True, kw_only=True, slots=True)
class EvidenceLearning:
    """How the namespace ranks now. Without a `checkpoint` there was nothing to learn: none of the evidence
    was relevant, or all of a few memories. `agreement` is with the shipped order; `rollback` says why what
    the namespace had learned was given up, if it was; `repeated` that this feedback was known."""

    state: RankingState
    checkpoint: Checkpoint | None = None
    agreement: float | None = None
    rollback: Rollback | None = None
    repeated: bool = False

    def to_dict(self) -> Mapping[str, Any]:
        """The JSON object that answers and traces show."""
        return {
            "applied": self.checkpoint is not None,
            "checkpoint": None if self.checkpoint is None else self.checkpoint.sequence,
            "agreement": self.agreement,
            "rollback": self.rollback,
            "repeated": self.repeated,
            "ranking": self.state.to_dict(),
        }
