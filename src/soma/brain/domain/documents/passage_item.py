"""From a chunk of a document to a thing to remember."""

from typing import Any
from uuid import UUID

from soma.brain.domain.documents.chunk import Chunk
from soma.brain.domain.documents.document import Document
from soma.brain.domain.remember import RememberItem
from soma.brain.domain.utterance import UtteranceKind

ROLE = "document"
SEPARATOR = " › "  # noqa: RUF001 - as people write paths
UNDER_HEADER = "\n\n"
MAX_HEADER = 120
"""Characters before the text, so that its vector still stands for the text."""


def passage_key(document_id: UUID, revision: int, number: int) -> str:
    """The key of a chunk among the memories of its namespace."""
    return f"document/{document_id}/{revision}/{number:06}"


def passage_keys(document_id: UUID, revision: int, count: int) -> tuple[str, ...]:
    """The keys of the first `count` chunks of a revision."""
    return tuple(passage_key(document_id, revision, number) for number in range(count))


def passage_item(document: Document, chunk: Chunk, *, trace_id: str) -> RememberItem:
    """The memory that `chunk` becomes. Before its text stands what it is from, which its own words often
    leave open; see `passage_text`."""
    header = _header(document.title, chunk)
    return RememberItem(
        namespace=document.namespace,
        key=passage_key(document.id, document.revision, chunk.number),
        content=f"{header}{UNDER_HEADER}{chunk.text}" if header else chunk.text,
        role=ROLE,
        occurred_at=document.received_at,
        session=f"{document.id}/{document.revision}",
        provenance={**_provenance(document, chunk, trace_id), "headed": bool(header)},
    )


def passage_text(content: str, *, headed: bool) -> str:
    """The text of a chunk in the content of its memory, where tokens may stand for personal data."""
    return content.partition(UNDER_HEADER)[2] if headed else content


def _provenance(document: Document, chunk: Chunk, trace_id: str) -> dict[str, Any]:
    first, last = chunk.pages or (None, None)
    return {
        "trace_id": trace_id,
        "kind": str(UtteranceKind.DOCUMENT),
        "source_document": str(document.id),
        "revision": document.revision,
        "title": document.title,
        "media_type": str(document.media_type),
        "chunk": chunk.number,
        "chunks": document.chunks,
        "heading": "\n".join(chunk.heading),
        "first_page": first,
        "last_page": last,
        "start": chunk.start,
        "end": chunk.end,
    }


def _header(title: str, chunk: Chunk) -> str:
    """Title and headings, but for those that the text begins with itself."""
    opening = chunk.text[: 2 * MAX_HEADER]
    above = [title, *(heading for heading in chunk.heading if heading != title)]
    header = SEPARATOR.join(each for each in above if each and each not in opening)
    return " ".join(header.split())[:MAX_HEADER].strip()
