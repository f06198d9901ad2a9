"""Removing what a document has left in memory."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from soma.base.clock import now
from soma.base.database import tenant_transaction
from soma.brain.domain.documents.document import ACTIVE, Document, DocumentStatus
from soma.brain.domain.documents.passage_item import passage_keys
from soma.brain.models import DocumentPartRow, DocumentRow
from soma.brain.services.documents.rows import document_of, locked
from soma.fractalmemory.api import FractalMemory, Selection


def delete_document(memory: FractalMemory, tenant_id: UUID, namespace: str, document_id: UUID) -> None:
    """See Documents.delete."""
    with tenant_transaction(tenant_id):
        row = locked(tenant_id, namespace, document_id)
        forget_revisions(memory, row, [*row.stale, [row.revision, row.chunks_done]])
        drop_file(row)
        row.delete()


def cancel_document(memory: FractalMemory, tenant_id: UUID, namespace: str, document_id: UUID) -> Document:
    """See Documents.cancel."""
    with tenant_transaction(tenant_id):
        row = locked(tenant_id, namespace, document_id)
        if row.status in ACTIVE:
            give_up(memory, row, DocumentStatus.CANCELLED)
        return document_of(row)


def give_up(
    memory: FractalMemory, row: DocumentRow, status: DocumentStatus, *, reason: str = "", detail: str = ""
) -> None:
    """End the work on a held row as `status`: the chunks of its revision go, those of an earlier one that
    stood stay. Inside the transaction that holds it."""
    forget_revisions(memory, row, [[row.revision, row.chunks_done]])
    drop_file(row)
    row.status, row.reason, row.detail = status, reason, detail
    row.chunks_done, row.finished_at = 0, now()
    row.save()


def forget_revisions(memory: FractalMemory, row: DocumentRow, revisions: Iterable[list[int]]) -> None:
    """Delete the chunks of `revisions`, pairs of a revision and how many it has: content, vector and text."""
    for revision, chunks in revisions:
        if chunks:
            keys = passage_keys(row.id, revision, chunks)
            memory.delete_matching(row.tenant_id, Selection(namespace=row.namespace, keys=keys))


def drop_file(row: DocumentRow) -> None:
    """Let go of the document's file."""
    DocumentPartRow.objects.filter(tenant_id=row.tenant_id, document_id=row.id).delete()


def drop_documents(tenant_id: UUID, namespace: str, before: datetime | None) -> None:
    """Let go of the documents of a namespace whose memories are to be forgotten: all, or those that were
    received `before`. Work on them ends. Opens a transaction of its own."""
    with tenant_transaction(tenant_id):
        rows = DocumentRow.objects.filter(tenant_id=tenant_id, namespace=namespace)
        if before is not None:
            rows = rows.filter(received_at__lt=before)
        for row in rows.select_for_update():
            drop_file(row)
            row.delete()
