"""Cutting a stretch of text that is too long for one chunk."""

import re
from collections.abc import Iterator

from soma.brain.domain.documents.layout import Block, BlockKind
from soma.brain.domain.documents.size import PIECE_TOKENS, tokens

Span = tuple[int, int]

LINE = re.compile(r"\n+")
SENTENCE = re.compile(r"(?<=[.!?…])[\"')\]”’]*\s+|(?<=[。！？])|\n\s*\n")  # noqa: RUF001 - full width
WORD = re.compile(r"\s+")
LADDERS = {
    BlockKind.HEADING: (SENTENCE, WORD),
    BlockKind.PARAGRAPH: (SENTENCE, LINE, WORD),
    BlockKind.LIST: (LINE, SENTENCE, WORD),
    BlockKind.TABLE: (LINE, WORD),
    BlockKind.CODE: (LINE, WORD),
}
"""Where to cut a block of each kind, in order of preference; within a word, last of all."""

LETTERS = PIECE_TOKENS // 2
"""How many characters without white space are a piece: no writing takes two tokens a character."""


def spans(text: str, block: Block) -> list[Span]:
    """`block` in pieces of at most PIECE_TOKENS each: one if it is short enough. Between the pieces there is
    nothing but white space."""
    return list(_split(text, (block.start, block.end), LADDERS[block.kind]))


def _split(text: str, span: Span, ladder: tuple[re.Pattern[str], ...]) -> Iterator[Span]:
    start, end = trimmed(text, *span)
    if start == end:
        return
    if tokens(text[start:end]) <= PIECE_TOKENS:
        yield start, end
    elif not ladder:
        yield from ((at, min(at + LETTERS, end)) for at in range(start, end, LETTERS))
    else:
        yield from _packed(text, _units(text, (start, end), ladder[0]), ladder[1:])


def _packed(text: str, units: Iterator[Span], ladder: tuple[re.Pattern[str], ...]) -> Iterator[Span]:
    """As many units together as fit; one that fits nowhere is cut further."""
    held: Span | None = None
    size = 0
    for unit in units:
        more = tokens(text[slice(*unit)])
        if held is not None and size + more <= PIECE_TOKENS:
            held, size = (held[0], unit[1]), size + more
            continue
        if held is not None:
            yield held
        held, size = None, 0
        if more <= PIECE_TOKENS:
            held, size = unit, more
        else:
            yield from _split(text, unit, ladder)
    if held is not None:
        yield held


def _units(text: str, span: Span, boundary: re.Pattern[str]) -> Iterator[Span]:
    start, end = span
    for match in boundary.finditer(text, start, end):
        unit = trimmed(text, start, match.end())
        if unit[0] < unit[1]:
            yield unit
        start = match.end()
    unit = trimmed(text, start, end)
    if unit[0] < unit[1]:
        yield unit


def trimmed(text: str, start: int, end: int) -> Span:
    """The span without white space at its ends; empty at its end where it holds nothing else."""
    part = text[start:end]
    start += len(part) - len(part.lstrip())
    return min(start, end), start + len(part.strip())
