"""The text of a document, and what its parts are."""

from dataclasses import dataclass, field
from enum import StrEnum


class BlockKind(StrEnum):
    """What a part of a text is; lists, tables and code are cut between lines, prose between sentences."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST = "list"
    TABLE = "table"
    CODE = "code"


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """The characters `start` to `end` of a text. A heading has a `level`, 1 the highest, and a `title`, its
    text without marks; what comes from a page has its number, from 1."""

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    title: str = ""
    page: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """A whole text and its blocks, in order and apart from each other. `title` is what the document calls
    itself, "" for nothing; `pages` how many it has, where it has any."""

    text: str
    blocks: tuple[Block, ...]
    title: str = ""
    pages: int | None = None


@dataclass(kw_only=True, slots=True)
class LayoutDraft:
    """Puts a text together from blocks, with an empty line between any two."""

    parts: list[str] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    length: int = 0

    def add(self, kind: BlockKind, text: str, *, level: int = 0, page: int | None = None) -> None:
        """Append a block of `text`, unless it is empty."""
        if not text.strip():
            return
        start = self.length + (2 if self.parts else 0)
        self.parts += ["\n\n", text] if self.parts else [text]
        self.length = start + len(text)
        title = " ".join(text.split()) if kind is BlockKind.HEADING else ""
        self.blocks.append(
            Block(kind=kind, start=start, end=self.length, level=level, title=title, page=page)
        )

    def layout(self, *, title: str = "", pages: int | None = None) -> Layout:
        """What was put together."""
        return Layout(text="".join(self.parts), blocks=tuple(self.blocks), title=title, pages=pages)
