"""What is remembered of a document: chunks of its text."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """The characters `start` to `end` of a document's text, which are `text`. `heading` is the path of
    headings above all of it, highest first; `pages` its first and its last page, where there are pages."""

    number: int
    text: str
    start: int
    end: int
    heading: tuple[str, ...] = ()
    pages: tuple[int, int] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadDocument:
    """A document that was read: `characters` of text in `chunks`, which leave nothing out but white space."""

    title: str
    pages: int | None
    characters: int
    chunks: tuple[Chunk, ...]
