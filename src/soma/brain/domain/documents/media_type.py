"""The kinds of document that are read."""

from enum import StrEnum
from pathlib import PurePath


class MediaType(StrEnum):
    """IANA media types, with what they are called in a message to people."""

    TEXT = "text/plain"
    MARKDOWN = "text/markdown"
    HTML = "text/html"
    PDF = "application/pdf"


SUFFIXES = {
    ".txt": MediaType.TEXT,
    ".text": MediaType.TEXT,
    ".rst": MediaType.TEXT,
    ".md": MediaType.MARKDOWN,
    ".markdown": MediaType.MARKDOWN,
    ".html": MediaType.HTML,
    ".htm": MediaType.HTML,
    ".xhtml": MediaType.HTML,
    ".pdf": MediaType.PDF,
}
ALIASES = {"text/x-markdown": MediaType.MARKDOWN, "application/xhtml+xml": MediaType.HTML}


def media_type_of(name: str) -> MediaType | None:
    """What a file of this name holds by its suffix; None for one that is not read."""
    return SUFFIXES.get(PurePath(name).suffix.lower())


def media_type_named(text: str) -> MediaType | None:
    """The media type that `text` names, without its parameters; None for one that is not read."""
    name = text.strip().lower()
    known = ALIASES.get(name)
    return known or (MediaType(name) if name in set(MediaType) else None)
