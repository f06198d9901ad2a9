"""Documents that are taken in, and what is asked of them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from soma.brain.api import DEFAULT
from soma.interfaces.http.documents.base import FilledText, Given, Sent
from soma.interfaces.http.documents.memory import Namespace, Share

DocumentIds = Annotated[list[Annotated[UUID, Field(strict=False)]], Field(min_length=1, max_length=100)]


class Document(Given):
    """A document, and how far it is taken in: `chunks_done` of `chunks`."""

    id: UUID
    key: str
    name: str
    title: str
    media_type: str
    content_hash: str
    size: int
    revision: int
    status: str
    reason: str
    detail: str
    pages: int | None
    characters: int
    chunks: int
    chunks_done: int
    received_at: datetime
    finished_at: datetime | None


class DocumentList(Given):
    """Documents, newest first; `next` is the cursor of the page that follows, null on the last."""

    items: list[Document]
    next: UUID | None


class RetrieveQuery(Sent):
    """What to look for in the caller's documents."""

    query: FilledText
    top_k: Annotated[int, Field(ge=1)] = 8
    min_score: Share = 0.2
    document_ids: DocumentIds | None = None
    namespace: Namespace = DEFAULT
    explain: bool = False


class Passage(Given):
    """A passage that answers, and where it stands: the characters `start` to `end` of its document's text."""

    record_id: UUID
    document_id: UUID
    title: str
    media_type: str
    heading: list[str]
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


class RetrievedPassages(Given):
    """The passages, best first."""

    passages: list[Passage]
    latency_ms: float
