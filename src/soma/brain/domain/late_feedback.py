"""What somebody said of a turn after it had ended, and what came of it."""

from dataclasses import dataclass

from soma.brain.domain.checkpoint import Checkpoint
from soma.brain.domain.evidence_feedback import EvidenceFeedback
from soma.brain.domain.feedback import Feedback
from soma.brain.domain.learning import Learning
from soma.brain.domain.ranking_credit import Credited


@dataclass(frozen=True, kw_only=True, slots=True)
class LateFeedback:
    """`feedback` is the turn's last iteration with what was said of it as a part of its reward; `evidence`
    what that says of what was recalled, if anything, under the same `source_id`."""

    feedback: Feedback
    evidence: EvidenceFeedback


@dataclass(frozen=True, kw_only=True, slots=True)
class LateLearning:
    """What it did, all in one `checkpoint`. `learning` and `credited` are None where the feedback was known
    already (`repeated`)."""

    checkpoint: Checkpoint
    learning: Learning | None = None
    credited: Credited | None = None

    @property
    def repeated(self) -> bool:
        """Whether it had come before, and so changed nothing."""
        return self.learning is None
