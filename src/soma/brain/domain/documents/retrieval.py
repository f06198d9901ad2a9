"""What is asked of documents, and what they answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from soma.brain.domain.documents.passage_item import passage_text
from soma.brain.domain.recall import Evidence

MAX_DOCUMENTS = 100
"""Documents that one question may be restricted to."""

MIN_SCORE = 0.2
"""The least cosine of a passage, or of one of its sentences. Lower than in a chat: who asks documents wants
the best passages there are, and sees their scores."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RetrieveRequest:
    """What to look for in the documents of `namespace`, or only in `document_ids`. See RecallRequest."""

    tenant_id: UUID
    namespace: str
    query: str
    top_k: int = 8
    min_score: float = MIN_SCORE
    document_ids: tuple[UUID, ...] | None = None
    explain: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """A chunk that answers: the characters `start` to `end` of the text of its document, of whose `chunks`
    it is number `chunk`, from 0. `heading` is the path of headings above it; pages count from 1. What the
    other figures mean stands at Evidence."""

    record_id: UUID
    document_id: UUID
    title: str
    media_type: str
    heading: tuple[str, ...]
    text: str
    chunk: int
    chunks: int
    start: int
    end: int
    first_page: int | None
    last_page: int | None
    ingested_at: datetime
    trace_id: str
    score: float
    confidence: float
    features: Mapping[str, float]
    explanation: Mapping[str, float] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Retrieved:
    """The passages, best first. Empty is an answer: nothing in the documents reaches `min_score`."""

    passages: tuple[Passage, ...]
    latency_ms: float


def passage_of(evidence: Evidence) -> Passage:
    """The passage that `evidence` from a document is."""
    origin = evidence.provenance
    return Passage(
        record_id=evidence.record_id,
        document_id=UUID(origin["source_document"]),
        title=origin["title"],
        media_type=origin["media_type"],
        heading=tuple(origin["heading"].split("\n")) if origin["heading"] else (),
        text=passage_text(evidence.content, headed=origin["headed"]),
        chunk=origin["chunk"],
        chunks=origin["chunks"],
        start=origin["start"],
        end=origin["end"],
        first_page=origin["first_page"],
        last_page=origin["last_page"],
        ingested_at=evidence.occurred_at,
        trace_id=origin["trace_id"],
        score=evidence.score,
        confidence=evidence.confidence,
        features=evidence.features,
        explanation=evidence.explanation,
    )
