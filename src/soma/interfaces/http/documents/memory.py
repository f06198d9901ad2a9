"""What is asked of memory and given to it directly."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from soma.interfaces.http.documents.base import FilledText, Given, Sent, Text, Time

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class RecallQuery(Sent):
    """What to look for in the caller's own memory."""

    query: FilledText
    top_k: Annotated[int, Field(ge=1)] = 8
    min_score: Share = 0.3
    as_of: Time | None = None


class Evidence(Given):
    """One memory that answers, with what its score was made of."""

    record_id: UUID
    content: str
    role: str
    speaker: str
    score: float
    probability: float
    features: Mapping[str, float]
    confidence: float
    calibration: str
    provenance: Mapping[str, Any]
    occurred_at: datetime


class Recalled(Given):
    """The evidence, best first. `novelty` is 1 where nothing known comes near the query."""

    evidence: list[Evidence]
    novelty: float
    latency_ms: float


class Item(Sent):
    """One thing to remember. The same key again rewrites it; without one, it gets a name of its own."""

    content: FilledText
    key: Annotated[FilledText, Field(max_length=200)] | None = None
    importance: Share = 0.5
    speaker: Annotated[Text, Field(max_length=200)] = ""
    occurred_at: Time | None = None


class RememberRequest(Sent):
    """Things to remember in the caller's own memory."""

    items: Annotated[list[Item], Field(min_length=1, max_length=100)]


class Kept(Given):
    """A thing that memory holds."""

    key: str
    record_id: UUID
    rewritten: bool


class Refused(Given):
    """A thing that memory did not take, and why."""

    key: str
    reason: str
    detail: str


class Remembered(Given):
    """What became of each thing."""

    stored: list[Kept]
    deduplicated: list[Kept]
    refused: list[Refused]
