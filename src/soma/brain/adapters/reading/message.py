"""What a reading process answers: one JSON object, a document that was read or the reason why not."""

from typing import Any

from soma.base.canonical import json_bytes, json_value
from soma.brain.domain.documents.chunk import Chunk, ReadDocument
from soma.brain.domain.documents.unreadable import Reason, Unreadable


def read_message(document: ReadDocument) -> bytes:
    """The message that `document` was read."""
    chunks = [
        [chunk.text, chunk.start, chunk.end, list(chunk.heading), chunk.pages] for chunk in document.chunks
    ]
    return json_bytes(
        {
            "title": document.title,
            "pages": document.pages,
            "characters": document.characters,
            "chunks": chunks,
        }
    )


def unreadable_message(error: Unreadable) -> bytes:
    """The message that a document cannot be read."""
    return json_bytes({"reason": str(error.reason), "detail": error.detail})


def document_of(message: bytes) -> ReadDocument:
    """The document that `message` tells of. Raises the Unreadable that it tells of, or ValueError for a
    message that tells of neither: what read a hostile file is not to be believed without looking."""
    value = json_value(message)
    if not isinstance(value, dict):
        raise ValueError("the message is no object")
    try:
        if "reason" in value:
            raise Unreadable(Reason(value["reason"]), str(value["detail"]))
        return _document(value)
    except (KeyError, TypeError) as error:
        raise ValueError(f"the message has another form: {error}") from error


def _document(value: dict[str, Any]) -> ReadDocument:
    pages = value["pages"]
    return ReadDocument(
        title=str(value["title"]),
        pages=None if pages is None else int(pages),
        characters=int(value["characters"]),
        chunks=tuple(_chunk(number, each) for number, each in enumerate(value["chunks"])),
    )


def _chunk(number: int, value: list[Any]) -> Chunk:
    text, start, end, heading, pages = value
    if not (isinstance(text, str) and len(text) == int(end) - int(start)):
        raise ValueError("a chunk is not as long as it says")
    return Chunk(
        number=number,
        text=text,
        start=int(start),
        end=int(end),
        heading=tuple(str(title) for title in heading),
        pages=None if pages is None else (int(pages[0]), int(pages[1])),
    )
