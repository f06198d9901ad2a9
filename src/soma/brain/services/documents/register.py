"""Taking a document in: its row and its file, in one transaction."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from soma.base.clock import now
from soma.base.database import tenant_transaction
from soma.base.errors import InvalidInput, LimitExceeded
from soma.base.ids import new_id
from soma.base.insertion import insert
from soma.brain.domain.documents.document import ACTIVE, Document, DocumentStatus, IngestRequest
from soma.brain.domain.documents.unreadable import Reason, Unreadable
from soma.brain.domain.guard import MAX_KEY, MAX_NAMESPACE
from soma.brain.models import DocumentPartRow, DocumentRow
from soma.brain.services.documents.removal import drop_file
from soma.brain.services.documents.rows import document_of

MAX_BYTES = 32 * 1024 * 1024
"""Of a document's file."""
PART_BYTES = 1024 * 1024
LIMITS = {"namespace": MAX_NAMESPACE, "key": MAX_KEY, "name": 300, "title": 200, "charset": 40}
"""Characters of each text of a request."""
NEEDED = frozenset({"namespace", "key"})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Content:
    """What is sent, and what is known of it before it is stored."""

    stream: BinaryIO
    size: int
    sha256: str


def register(request: IngestRequest, stream: BinaryIO) -> Document:
    """See Documents.ingest."""
    _check(request)
    content = _measured(stream)
    with tenant_transaction(request.tenant_id):
        row = _row(request)
        if not _stands(row, request, content):
            _begin_revision(row, request, content)
        return document_of(row)


def _check(request: IngestRequest) -> None:
    for name, limit in LIMITS.items():
        text = getattr(request, name)
        if len(text) > limit:
            raise LimitExceeded(f"document {name}", maximum=limit, actual=len(text), unit="characters")
        if "\0" in text or text.encode(errors="ignore").decode() != text:
            raise InvalidInput(f"The document's {name} has a character that cannot be stored")
        if name in NEEDED and not text.strip():
            raise InvalidInput(f"The document's {name} is empty")


def _measured(stream: BinaryIO) -> _Content:
    digest, size = hashlib.sha256(), 0
    for part in _parts(stream):
        digest.update(part)
        size += len(part)
        if size > MAX_BYTES:
            raise LimitExceeded("document", maximum=MAX_BYTES, actual=size, unit="bytes")
    if not size:
        raise Unreadable(Reason.NO_TEXT, "The document is empty")
    return _Content(stream=stream, size=size, sha256=digest.hexdigest())


def _parts(stream: BinaryIO) -> Iterator[bytes]:
    stream.seek(0)
    while part := stream.read(PART_BYTES):
        yield part


def _row(request: IngestRequest) -> DocumentRow:
    """The document's row, held; a new one has revision 0."""
    named = {"tenant_id": request.tenant_id, "namespace": request.namespace, "key": request.key}
    new = DocumentRow(
        id=new_id(),
        **named,
        media_type=request.media_type,
        size=0,
        revision=0,
        status=DocumentStatus.CANCELLED,
        characters=0,
        chunks=0,
        chunks_done=0,
        stale=[],
        attempts=0,
        received_at=now(),
    )
    # Two who send the same for the first time: one waits here for the other, and then finds its row.
    DocumentRow.objects.bulk_create([new], ignore_conflicts=True)
    return DocumentRow.objects.select_for_update().get(**named)


def _stands(row: DocumentRow, request: IngestRequest, content: _Content) -> bool:
    """Whether this very document is here already, or on its way."""
    same = (row.content_hash, row.media_type, row.given_title, row.charset) == (
        content.sha256, str(request.media_type), request.title, request.charset,
    )  # fmt: skip
    return same and row.status in {*ACTIVE, DocumentStatus.DONE}


def _begin_revision(row: DocumentRow, request: IngestRequest, content: _Content) -> None:
    drop_file(row)
    if row.chunks_done:
        row.stale = [*row.stale, [row.revision, row.chunks_done]]
    row.revision += 1
    row.name, row.given_title, row.title = request.name, request.title, ""
    row.media_type, row.charset = str(request.media_type), request.charset
    row.content_hash, row.size = content.sha256, content.size
    row.trace_id = request.trace_id
    row.status, row.reason, row.detail = DocumentStatus.WAITING, "", ""
    row.pages, row.characters = None, 0
    row.chunks, row.chunks_done, row.reading_hash, row.attempts = 0, 0, "", 0
    row.received_at, row.finished_at = now(), None
    row.save()
    for number, part in enumerate(_parts(content.stream)):
        insert(
            DocumentPartRow(
                tenant_id=row.tenant_id,
                document_id=row.id,
                revision=row.revision,
                number=number,
                content=part,
            )
        )
