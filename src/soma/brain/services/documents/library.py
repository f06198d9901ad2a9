"""Documents, as the tiers above see them."""

from collections.abc import Sequence
from typing import BinaryIO
from uuid import UUID

from soma.base.tenancy import Principal
from soma.brain.domain.documents.document import Document, IngestRequest
from soma.brain.domain.documents.retrieval import Retrieved, RetrieveRequest
from soma.brain.domain.utterance import UtteranceKind
from soma.brain.ports import DocumentReader, Embedder
from soma.brain.services.documents.ingester import Ingester
from soma.brain.services.documents.register import register
from soma.brain.services.documents.removal import cancel_document, delete_document
from soma.brain.services.documents.retrieve import retrieve
from soma.brain.services.documents.rows import list_documents, read_document
from soma.brain.services.guard import Guard
from soma.brain.services.outage import writing
from soma.fractalmemory.api import FractalMemory

MAX_LISTED = 200


class Documents:
    """The documents of all tenants. Safe to call from several threads; opens transactions of its own."""

    def __init__(
        self, memory: FractalMemory, embedder: Embedder, reader: DocumentReader, guard: Guard
    ) -> None:
        self._memory = memory
        self._embedder = embedder
        self._guard = guard
        self._ingester = Ingester(memory, embedder, reader, guard)

    def start(self, *, take_over: bool) -> None:
        """Work on documents in a thread, from now on; with `take_over` also on those that other processes
        have left behind."""
        self._ingester.start(take_over=take_over)

    def stop(self) -> None:
        """End that, within a second or two. What is not done is gone on with by the next process."""
        self._ingester.stop()

    def ingest(self, request: IngestRequest, content: BinaryIO, writer: Principal) -> Document:
        """Take a document in, durably, and return before it is read; `document` then tells how far it is. The
        same again (key, content, media type, title) changes nothing. Another content under the same key
        replaces it: its chunks stand until the new ones do. `content` can be sought in. The policy is asked
        whether `writer` may write documents there.

        Raises Denied, LimitExceeded, InvalidInput, Unreadable for an empty file, RememberUnavailable if the
        policy could not be asked; nothing is stored then.
        """
        place = request.namespace, UtteranceKind.DOCUMENT.value
        with writing():
            self._guard.require_permitted(request.tenant_id, place, writer)
        document = register(request, content)
        if document.is_active:
            self._ingester.tell(request.tenant_id, document.id)
        return document

    def document(self, tenant_id: UUID, namespace: str, document_id: UUID) -> Document:
        """Where a document stands. Raises NotFound."""
        return read_document(tenant_id, namespace, document_id)

    def documents(
        self, tenant_id: UUID, namespace: str, *, limit: int = 50, after: UUID | None = None
    ) -> Sequence[Document]:
        """The documents of a namespace, the newest first, of those that are older than `after`; at most
        `limit`, and one more than MAX_LISTED: whether there is one tells whether to go on."""
        return list_documents(tenant_id, namespace, limit=min(limit, MAX_LISTED + 1), after=after)

    def cancel(self, tenant_id: UUID, namespace: str, document_id: UUID) -> Document:
        """Break off the work on a document, and forget the chunks that it has stored; what stood before it
        under the same key stays. One that is not worked on stays as it is. Raises NotFound."""
        return cancel_document(self._memory, tenant_id, namespace, document_id)

    def delete(self, tenant_id: UUID, namespace: str, document_id: UUID) -> None:
        """Forget a document with all its chunks, for good. Raises NotFound."""
        delete_document(self._memory, tenant_id, namespace, document_id)

    def retrieve(self, request: RetrieveRequest) -> Retrieved:
        """The passages of documents that bear on the query, ranked as recall ranks. Raises RecallUnavailable,
        InvalidInput, LimitExceeded."""
        return retrieve(self._memory, self._embedder, request)
