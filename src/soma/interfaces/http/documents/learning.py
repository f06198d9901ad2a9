"""What agents have learned, and going back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from soma.agent.api import MAX_MARKS, Thumb, TurnFeedback
from soma.interfaces.http.documents.base import FilledText, Given, Sent

Id = Annotated[UUID, Field(strict=False)]


class RollbackRequest(Sent):
    """Where to go back to: a turn, or an agent (name or id) and the sequence of one of its checkpoints."""

    turn_id: Id | None = None
    agent: Annotated[FilledText, Field(max_length=200)] | None = None
    checkpoint: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = None


class EvidenceMark(Sent):
    """Whether a memory that the turn recalled bears on its question."""

    id: Id
    relevant: bool


class FeedbackRequest(Sent):
    """What the caller says of a turn's answer: a thumb, or a rating from 1 to 5; what would have been right,
    which is remembered; and which of the evidence was relevant. At least one of them."""

    thumb: Literal["up", "down"] | None = None
    rating: int | None = None
    correction: FilledText | None = None
    evidence: Annotated[list[EvidenceMark], Field(max_length=MAX_MARKS)] = []

    def said(self) -> TurnFeedback:
        """The same as the agent takes it. Raises InvalidInput, LimitExceeded."""
        return TurnFeedback(
            thumb=None if self.thumb is None else Thumb(self.thumb),
            rating=self.rating,
            correction=self.correction,
            marks={each.id: each.relevant for each in self.evidence},
        )


class LearningFeedback(FeedbackRequest):
    """The same, of the turn with this id."""

    turn_id: Id


class CreditedEvidence(Given):
    """The evidence that was judged, by its id."""

    relevant: list[UUID]
    irrelevant: list[UUID]


class CreditedTool(Given):
    """A tool that the turn used: how often, and how often well."""

    tool: str
    calls: int
    ok: int


class CreditedModel(Given):
    """A model that the turn asked, in so many iterations."""

    model: str
    iterations: int


class Credited(Given):
    """Who the feedback is credited to."""

    evidence: CreditedEvidence
    tools: list[CreditedTool]
    models: list[CreditedModel]


class FeedbackLearning(Given):
    """What was learned, with the agent's `checkpoint`: whether weights have moved (`applied`), and how the
    memory is ranked."""

    checkpoint: int
    reward: float | None
    prediction_error: float | None
    applied: bool
    ranking_applied: bool


class FeedbackTaken(Given):
    """What came of a feedback. `repeated`: it was known, and changed nothing. `replaces` is the caller's
    feedback that stood before; `score` is what the answer was worth, from 0 to 1."""

    feedback_id: UUID
    turn_id: UUID
    revision: int
    replaces: UUID | None
    score: float | None
    corrected: bool
    credited: Credited
    learning: FeedbackLearning
    repeated: bool


class Checkpoint(Given):
    """Where an agent stood after a turn, after feedback, or after a rollback, which `returns_to` another
    checkpoint. `source_id` names the feedback; `rankings` are the hashes of the rankings that came with it,
    by namespace; `hash` is SHA3-512 over all of it and the `previous_hash`, `signature` the installation's
    over that, in hex; the first has none."""

    sequence: int
    kind: str
    turn_id: UUID | None
    source_id: UUID | None
    returns_to: int | None
    constitution_hash: str | None
    weights: Mapping[str, float]
    neuromodulators: Mapping[str, float]
    reward: float | None
    reward_baseline: float
    step: int
    rankings: Mapping[str, str]
    hash: str
    previous_hash: str
    signature: str | None
    created_at: datetime


class RolledBack(Checkpoint):
    """The checkpoint that a rollback made."""

    agent: str
    agent_id: UUID


class LearnedRanking(Given):
    """How an agent ranks a namespace: by `weights` of recall's signals, which mix the shipped ones, the
    agent's and the namespace's own (`learned`) by their `shares`; `moved` is how far that is from the shipped
    ones. `version` is the checkpoint that it came with; `questions` counts those with feedback; `trust` is
    how far the feedback made sense."""

    namespace: str
    version: int
    weights: Mapping[str, float]
    moved: Mapping[str, float]
    learned: Mapping[str, float]
    shares: Mapping[str, float]
    trust: float
    questions: int
    rollbacks: int
    hash: str


class LearningState(Given):
    """Where an agent stands, its latest checkpoints, oldest first, and how it ranks its namespaces."""

    agent: str
    agent_id: UUID
    weights: Mapping[str, float]
    neuromodulators: Mapping[str, float]
    resting: Mapping[str, float]
    reward_baseline: float
    step: int
    hash: str
    checkpoints: list[Checkpoint]
    rankings: list[LearnedRanking]
