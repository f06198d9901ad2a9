"""Plain text: paragraphs between empty lines; lines that are underlined are headings."""

import re

from soma.brain.domain.documents.layout import Block, BlockKind, Layout

PARAGRAPH = re.compile(r"\S[^\n]*(?:\n[^\S\n]*\S[^\n]*)*")
UNDERLINED = re.compile(r"(?:([=\-~^\"'`#*+])\1{2,}\n)?(\S[^\n]{0,150})\n([=\-~^\"'`#*+])\3{2,}\s*")
"""A heading as reStructuredText writes it: a line under it, for the highest ones also one above."""
ITEM = re.compile(r"\s*(?:[-*+•]|\(?\d{1,3}[.)])\s+\S")
COLUMNS = re.compile(r"\S(?: {3,}|\t)\S")


def layout(text: str) -> Layout:
    """The layout of a plain text."""
    levels: dict[str, int] = {}
    blocks = tuple(_block(match, levels) for match in PARAGRAPH.finditer(text))
    return Layout(text=text, blocks=blocks)


def _block(match: re.Match[str], levels: dict[str, int]) -> Block:
    """`levels` are the styles of headings seen so far: the first is the highest, as in reStructuredText."""
    part = match[0]
    heading = UNDERLINED.fullmatch(part)
    if heading is not None:
        style = f"{heading[1] or ''}{heading[3]}"
        level = levels.setdefault(style, len(levels) + 1)
        title = " ".join(heading[2].split())
        return Block(kind=BlockKind.HEADING, start=match.start(), end=match.end(), level=level, title=title)
    return Block(kind=_kind(part), start=match.start(), end=match.end())


def _kind(part: str) -> BlockKind:
    lines = part.split("\n")
    if sum(1 for line in lines if COLUMNS.search(line)) * 2 > len(lines) > 1:
        return BlockKind.TABLE
    items = sum(1 for line in lines if ITEM.match(line))
    return BlockKind.LIST if items * 2 > len(lines) else BlockKind.PARAGRAPH
