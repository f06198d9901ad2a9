"""A document that was given, and how far it is taken in."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from soma.brain.domain.documents.media_type import MediaType


class DocumentStatus(StrEnum):
    """Where a document stands."""

    WAITING = "waiting"
    READING = "reading"
    EMBEDDING = "embedding"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ACTIVE = (DocumentStatus.WAITING, DocumentStatus.READING, DocumentStatus.EMBEDDING)
"""What a document is as long as there is something to be done for it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class IngestRequest:
    """A document to take into `namespace` of `tenant_id`. `key` names it there: another content under the
    same key replaces it. `title` may be "": then the document says it, or its file's `name`. `charset` is
    what the sender says of its encoding, "" for nothing."""

    tenant_id: UUID
    namespace: str
    key: str
    media_type: MediaType
    trace_id: str
    name: str = ""
    title: str = ""
    charset: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """A document of one tenant. `revision` counts its contents, from 1. `chunks` is how many it has, 0 as
    long as it was not read; `chunks_done` how many of them can be recalled. `reason` and `detail` say why it
    failed. `size` is in bytes, `characters` counts its text."""

    id: UUID
    namespace: str
    key: str
    name: str
    title: str
    media_type: MediaType
    content_hash: str
    size: int
    revision: int
    status: DocumentStatus
    reason: str
    detail: str
    pages: int | None
    characters: int
    chunks: int
    chunks_done: int
    received_at: datetime
    finished_at: datetime | None

    @property
    def is_active(self) -> bool:
        """Whether there is something to be done for it yet."""
        return self.status in ACTIVE
