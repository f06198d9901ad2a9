"""Documents for tests, taken in and waited for."""

from io import BytesIO
from threading import Event
from uuid import UUID

from soma.brain.domain.documents.document import Document, IngestRequest
from soma.brain.domain.documents.media_type import MediaType
from soma.brain.services.documents.library import Documents
from soma.brain.services.memory_policy import consolidation_principal

NAMESPACE = "n"
PATIENCE_SECONDS = 60.0
RIVERS = ("Danube", "Rhine", "Elbe", "Loire", "Tagus", "Vistula", "Neva", "Volga", "Po", "Thames")


def request(tenant: UUID, *, key: str = "rivers.md", **more: str) -> IngestRequest:
    """To take in Markdown."""
    return IngestRequest(
        tenant_id=tenant,
        namespace=more.pop("namespace", NAMESPACE),
        key=key,
        media_type=MediaType.MARKDOWN,
        trace_id="t",
        name=key,
        **more,
    )


def guide(*rivers: str, sentences: int = 12) -> bytes:
    """A Markdown text with a section about each river, of a chunk or more."""
    sections = []
    for river in rivers or RIVERS:
        told = " ".join(
            f"In year {1900 + number} the {river} rose by {number} metres." for number in range(sentences)
        )
        sections.append(f"## The {river}\n\nThe {river} has its own sort of boat.\n\n{told}\n")
    return ("# Guide to rivers\n\n" + "\n".join(sections)).encode()


def taken_in(documents: Documents, wanted: IngestRequest, content: bytes) -> Document:
    """The document once there is nothing more to do for it."""
    return settled(
        documents,
        wanted,
        documents.ingest(wanted, BytesIO(content), consolidation_principal(wanted.tenant_id)),
    )


def settled(documents: Documents, wanted: IngestRequest, document: Document) -> Document:
    """The document as it is once there is nothing more to do for it."""
    pause = Event()
    for _ in range(int(PATIENCE_SECONDS / 0.05)):
        document = documents.document(wanted.tenant_id, wanted.namespace, document.id)
        if not document.is_active:
            return document
        pause.wait(0.05)
    raise AssertionError(f"the document is not done: {document}")
