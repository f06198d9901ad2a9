"""Markdown, by markdown-it: CommonMark with tables. The text stays as it was written."""

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate

from markdown_it import MarkdownIt
from markdown_it.token import Token

from soma.brain.domain.documents.layout import Block, BlockKind, Layout
from soma.brain.domain.documents.splitting import trimmed

FRONT_MATTER = re.compile(r"\A---[^\S\n]*\n(.*?)\n---[^\S\n]*(?:\n|\Z)", re.DOTALL)
TITLE = re.compile(r"^title:[^\S\n]*[\"']?(.*?)[\"']?[^\S\n]*$", re.MULTILINE)
KINDS = {
    "heading_open": BlockKind.HEADING,
    "bullet_list_open": BlockKind.LIST,
    "ordered_list_open": BlockKind.LIST,
    "table_open": BlockKind.TABLE,
    "fence": BlockKind.CODE,
    "code_block": BlockKind.CODE,
}
WORDS = frozenset({"text", "code_inline", "softbreak", "hardbreak"})


def layout(text: str) -> Layout:
    """The layout of a Markdown text. Its title is its front matter's, else its first highest heading."""
    front = FRONT_MATTER.match(text)
    # Emptied rather than cut out, so that the lines keep their numbers.
    body = "\n" * front[0].count("\n") + text[front.end() :] if front else text
    parsed = MarkdownIt("commonmark").enable("table").parse(body)
    blocks = tuple(_blocks(text, parsed))
    named = TITLE.search(front[1]) if front else None
    return Layout(text=text, blocks=blocks, title=named[1] if named else _first_title(blocks))


def _blocks(text: str, parsed: Sequence[Token]) -> Iterator[Block]:
    starts = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
    for place, token in enumerate(parsed):
        if token.level or token.map is None or token.nesting < 0:
            continue
        first, last = token.map
        start, end = trimmed(text, starts[first], min(starts[min(last, len(starts) - 1)], len(text)))
        if start == end:
            continue
        kind = KINDS.get(token.type, BlockKind.PARAGRAPH)
        is_heading = kind is BlockKind.HEADING
        yield Block(
            kind=kind,
            start=start,
            end=end,
            level=int(token.tag[1:]) if is_heading else 0,
            title=_words(parsed[place + 1]) if is_heading else "",
        )


def _words(inline: Token) -> str:
    """What a heading says, without its marks."""
    said = "".join(child.content or " " for child in inline.children or () if child.type in WORDS)
    return " ".join(said.split())


def _first_title(blocks: Sequence[Block]) -> str:
    headings = [block for block in blocks if block.kind is BlockKind.HEADING]
    return next((heading.title for heading in headings if heading.level == 1), "")
