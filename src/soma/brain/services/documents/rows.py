"""Documents and their rows."""

from collections.abc import Sequence
from uuid import UUID

from soma.base.database import tenant_transaction
from soma.base.errors import NotFound
from soma.brain.domain.documents.document import Document, DocumentStatus
from soma.brain.domain.documents.media_type import MediaType
from soma.brain.models import DocumentRow


def document_of(row: DocumentRow) -> Document:
    """What a row says."""
    return Document(
        id=row.id,
        namespace=row.namespace,
        key=row.key,
        name=row.name,
        title=row.title or row.given_title,
        media_type=MediaType(row.media_type),
        content_hash=row.content_hash,
        size=row.size,
        revision=row.revision,
        status=DocumentStatus(row.status),
        reason=row.reason,
        detail=row.detail,
        pages=row.pages,
        characters=row.characters,
        chunks=row.chunks,
        chunks_done=row.chunks_done,
        received_at=row.received_at,
        finished_at=row.finished_at,
    )


def locked(tenant_id: UUID, namespace: str, document_id: UUID) -> DocumentRow:
    """The row of a document, held until the transaction ends. Raises NotFound."""
    row = (
        DocumentRow.objects.select_for_update()
        .filter(tenant_id=tenant_id, namespace=namespace, id=document_id)
        .first()
    )
    if row is None:
        raise _not_found(document_id)
    return row


def read_document(tenant_id: UUID, namespace: str, document_id: UUID) -> Document:
    """See Documents.document."""
    with tenant_transaction(tenant_id):
        row = DocumentRow.objects.filter(tenant_id=tenant_id, namespace=namespace, id=document_id).first()
    if row is None:
        raise _not_found(document_id)
    return document_of(row)


def list_documents(tenant_id: UUID, namespace: str, *, limit: int, after: UUID | None) -> Sequence[Document]:
    """See Documents.documents."""
    with tenant_transaction(tenant_id):
        rows = DocumentRow.objects.filter(tenant_id=tenant_id, namespace=namespace).order_by("-id")
        if after is not None:
            rows = rows.filter(id__lt=after)
        return [document_of(row) for row in rows[:limit]]


def _not_found(document_id: UUID) -> NotFound:
    return NotFound(f"There is no document {document_id}")
