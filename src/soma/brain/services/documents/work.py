"""Working on a document that was taken in: reading it, then storing its chunks, batch by batch.

Each batch and the count of chunks stored are one transaction, so whoever goes on after a crash begins where
the last one ended, and stores nothing twice.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import NamedTemporaryFile
from uuid import UUID

from soma.base.canonical import json_bytes
from soma.base.clock import now
from soma.base.database import tenant_transaction
from soma.brain.domain.documents.chunk import Chunk, ReadDocument
from soma.brain.domain.documents.document import ACTIVE, Document, DocumentStatus
from soma.brain.domain.documents.media_type import MediaType
from soma.brain.domain.documents.passage_item import passage_item
from soma.brain.domain.documents.source import Source
from soma.brain.domain.documents.unreadable import Reason, Unreadable
from soma.brain.errors import IngestStopped
from soma.brain.models import DocumentPartRow, DocumentRow
from soma.brain.ports import DocumentReader, Embedder
from soma.brain.services.documents.removal import drop_file, forget_revisions, give_up
from soma.brain.services.documents.rows import document_of
from soma.brain.services.guard import Guard
from soma.brain.services.memory_policy import consolidation_principal
from soma.brain.services.prepare import indexed
from soma.fractalmemory.api import FractalMemory, IndexedRecord, QuotaExceeded

BATCH = 16
"""Chunks stored at once: about a second's work, after which a cancel is noticed and progress is seen."""

MAX_ATTEMPTS = 5
"""How often work on a document may begin without storing a chunk, before the document is held to be the
reason."""


class DocumentWork:
    """Does the work. `stopped` is asked now and then whether the process is to end."""

    def __init__(
        self,
        memory: FractalMemory,
        embedder: Embedder,
        reader: DocumentReader,
        guard: Guard,
        stopped: Callable[[], bool],
    ) -> None:
        self._memory = memory
        self._embedder = embedder
        self._reader = reader
        self._guard = guard
        self._stopped = stopped

    def run(self, tenant_id: UUID, document_id: UUID) -> None:
        """Work on a document until it is done, or has failed for a reason that is its own. Raises
        IngestStopped, and what store, model and database raise; then it may be run again."""
        row = self._begin(tenant_id, document_id)
        if row is None:
            return
        try:
            read = self._read(row)
            document = self._plan(row, read)
            for chunks in _batches(read.chunks, document.chunks_done):
                document = self._store(row, document, chunks)
            self._finish(row, document)
        except Unreadable as error:
            self._fail(row, error)

    def _begin(self, tenant_id: UUID, document_id: UUID) -> DocumentRow | None:
        with tenant_transaction(tenant_id):
            row = DocumentRow.objects.select_for_update().filter(tenant_id=tenant_id, id=document_id).first()
            if row is None or row.status not in ACTIVE:
                return None
            if row.attempts >= MAX_ATTEMPTS:
                detail = f"Work on the document was broken off {row.attempts} times without a chunk stored"
                give_up(self._memory, row, DocumentStatus.FAILED, reason=Reason.LIMIT, detail=detail)
                return None
            row.attempts += 1
            row.status = DocumentStatus.READING
            row.save(update_fields=["attempts", "status"])
            return row

    def _read(self, row: DocumentRow) -> ReadDocument:
        with _file(row) as path:
            source = Source(
                path=path,
                media_type=MediaType(row.media_type),
                charset=row.charset,
                name=row.name,
                title=row.given_title,
            )
            return self._reader.read(source, self._stopped)

    def _plan(self, begun: DocumentRow, read: ReadDocument) -> Document:
        """Write down what there is to do. Chunks that were stored before a crash count as far as these are
        the same."""
        with tenant_transaction(begun.tenant_id):
            row = _held(begun)
            digest = _digest(read)
            if row.reading_hash != digest:
                forget_revisions(self._memory, row, [[row.revision, row.chunks_done]])
                row.chunks_done = 0
            row.reading_hash, row.title, row.pages = digest, read.title, read.pages
            row.characters, row.chunks = read.characters, len(read.chunks)
            row.status = DocumentStatus.EMBEDDING
            row.save()
            return document_of(row)

    def _store(self, begun: DocumentRow, document: Document, chunks: Sequence[Chunk]) -> Document:
        if self._stopped():
            raise IngestStopped("The process is to end")
        items = [passage_item(document, chunk, trace_id=begun.trace_id) for chunk in chunks]
        # A chunk that may not be a memory leaves a gap, not an end.
        judged = self._guard.judge(begun.tenant_id, items, consolidation_principal(begun.tenant_id))
        records = indexed(self._embedder, [each.item for each in judged if each.reason is None])
        done = document.chunks_done + len(chunks)
        with tenant_transaction(begun.tenant_id):
            row = _held(begun)
            if row.chunks_done != document.chunks_done:
                raise IngestStopped("Another process works on the document")
            self._upsert(begun.tenant_id, records)
            row.chunks_done, row.attempts = done, 0
            row.save(update_fields=["chunks_done", "attempts"])
        return replace(document, chunks_done=done)

    def _upsert(self, tenant_id: UUID, records: Sequence[IndexedRecord]) -> None:
        try:
            self._memory.upsert(tenant_id, records)
        except QuotaExceeded as full:
            raise Unreadable(Reason.LIMIT, str(full)) from full

    def _finish(self, begun: DocumentRow, document: Document) -> None:
        with tenant_transaction(begun.tenant_id):
            row = _held(begun)
            forget_revisions(self._memory, row, row.stale)
            drop_file(row)
            row.status, row.stale, row.finished_at = DocumentStatus.DONE, [], now()
            row.save(update_fields=["status", "stale", "finished_at"])

    def _fail(self, begun: DocumentRow, error: Unreadable) -> None:
        with tenant_transaction(begun.tenant_id):
            row = _held(begun)
            give_up(self._memory, row, DocumentStatus.FAILED, reason=error.reason, detail=error.detail)


def _held(begun: DocumentRow) -> DocumentRow:
    """The row as it is now, held. Raises IngestStopped if it is no longer what was begun."""
    row = (
        DocumentRow.objects.select_for_update()
        .filter(tenant_id=begun.tenant_id, id=begun.id, revision=begun.revision, status__in=ACTIVE)
        .first()
    )
    if row is None:
        raise IngestStopped("The document was cancelled, deleted or replaced")
    return row


@contextmanager
def _file(row: DocumentRow) -> Iterator[Path]:
    """The document's file, on disk for a while; never as a whole in memory."""
    with NamedTemporaryFile(prefix="soma-document-") as file:
        with tenant_transaction(row.tenant_id):
            parts = DocumentPartRow.objects.filter(
                tenant_id=row.tenant_id, document_id=row.id, revision=row.revision
            )
            for part in parts.order_by("number").iterator(chunk_size=1):
                file.write(part.content)
        file.flush()
        yield Path(file.name)


def _batches(chunks: Sequence[Chunk], done: int) -> Iterator[Sequence[Chunk]]:
    yield from (chunks[at : at + BATCH] for at in range(done, len(chunks), BATCH))


def _digest(read: ReadDocument) -> str:
    digest = hashlib.sha256(read.title.encode())
    for chunk in read.chunks:
        digest.update(json_bytes([chunk.start, chunk.text]))
    return digest.hexdigest()
