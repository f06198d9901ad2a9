"""What somebody says of a turn's answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from soma.agent.domain.evidence import EvidenceBlock
from soma.agent.domain.message import checked_text
from soma.agent.domain.used_evidence import used_evidence
from soma.base.errors import InvalidInput, LimitExceeded

RATINGS = range(1, 6)
BAD = 0.25
"""Down from this score, the answer is held against what it used: a thumb down, two stars."""

GOOD = 0.75
"""From this score on, what the answer used was right to use: a thumb up, four stars."""

MAX_MARKS = 100
"""As much as a turn recalls."""


class Thumb(StrEnum):
    """Up or down."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, kw_only=True, slots=True)
class TurnFeedback:
    """A thumb, or a rating from 1 to 5, or neither; what would have been right; and `marks` of evidence by
    its id: whether it bears on the question.

    Raises InvalidInput for nothing, for a thumb with a rating, for what is no text; LimitExceeded for a
    correction of more than 32 KiB, for more than 100 marks.
    """

    thumb: Thumb | None = None
    rating: int | None = None
    correction: str | None = None
    marks: Mapping[UUID, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.thumb is None and self.rating is None and self.correction is None and not self.marks:
            raise InvalidInput("The feedback says nothing: give a thumb, a rating, a correction or marks")
        if self.thumb is not None and self.rating is not None:
            raise InvalidInput("Give a thumb or a rating, not both")
        if self.rating is not None and self.rating not in RATINGS:
            raise InvalidInput(f"The rating is {self.rating}; it takes {RATINGS[0]} to {RATINGS[-1]}")
        if self.correction is not None:
            checked_text(self.correction)
        if len(self.marks) > MAX_MARKS:
            raise LimitExceeded("marks", maximum=MAX_MARKS, actual=len(self.marks), unit="marks")

    @property
    def score(self) -> float | None:
        """The part of the reward that the user has in hand, in [0, 1]: an answer that was corrected, and not
        rated, was wrong; None where only evidence was marked."""
        if self.thumb is not None:
            return 1.0 if self.thumb is Thumb.UP else 0.0
        if self.rating is not None:
            return (self.rating - RATINGS[0]) / (RATINGS[-1] - RATINGS[0])
        return None if self.correction is None else 0.0

    def judge(self, question: str, answer: str, evidence: Sequence[EvidenceBlock]) -> dict[str, bool]:
        """Evidence id → whether it was relevant, as far as the feedback tells: as it is marked, what is not
        being less than what is marked right; else by what the correction has something from; else, for a good
        answer, by what that has."""
        if self.marks:
            return self._marked(evidence)
        told = self.correction if self.correction is not None else answer if self._good else None
        if told is None:
            return {}
        used = {block.id for block in used_evidence(question, told, evidence)}
        return {block.id: block.id in used for block in evidence} if used else {}

    def blame(self, question: str, answer: str, evidence: Sequence[EvidenceBlock]) -> dict[str, bool]:
        """Evidence id → whether the answer used it, where that was bad and nobody says what is right; else
        nothing."""
        if self.marks or self.correction is not None or self.score is None or self.score > BAD:
            return {}
        used = {block.id for block in used_evidence(question, answer, evidence)}
        return {block.id: block.id in used for block in evidence} if used else {}

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "thumb": None if self.thumb is None else self.thumb.value,
            "rating": self.rating,
            "correction": self.correction,
            "marks": {str(each): relevant for each, relevant in sorted(self.marks.items())},
        }

    @property
    def _good(self) -> bool:
        return self.score is not None and self.score >= GOOD

    def _marked(self, evidence: Sequence[EvidenceBlock]) -> dict[str, bool]:
        marks = {str(each): relevant for each, relevant in self.marks.items()}
        any_right = any(marks.get(block.id, False) for block in evidence)
        return {block.id: marks.get(block.id, False) for block in evidence if block.id in marks or any_right}
