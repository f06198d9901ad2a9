"""From a text with its structure to chunks that one vector can stand for."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from soma.brain.domain.documents.chunk import Chunk
from soma.brain.domain.documents.layout import Block, BlockKind, Layout
from soma.brain.domain.documents.size import MAX_TOKENS, tokens
from soma.brain.domain.documents.splitting import spans, trimmed

SMALL_TOKENS = 40
"""A section shorter than this shares its chunk with the next one: its vector would say little."""

HEADING_LENGTH = 200
"""Characters of a heading that its path keeps."""

Path = tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Piece:
    """A block, or a part of one."""

    start: int
    end: int
    tokens: int
    opens: bool
    path: Path
    page: int | None


def chunks_of(layout: Layout) -> tuple[Chunk, ...]:
    """The chunks of a text, in its order: each of at most MAX_TOKENS, all of it but white space in one of
    them. A heading begins a chunk, unless what stands before it is small, and never ends one that goes on;
    lists, tables and code stay whole as far as they fit.
    """
    groups = _grouped(_pieces(layout))
    return tuple(_chunk(layout.text, number, group) for number, group in enumerate(groups))


def _pieces(layout: Layout) -> Iterator[_Piece]:
    path: list[tuple[int, str]] = []
    for block in _covering(layout):
        if block.kind is BlockKind.HEADING:
            path = [above for above in path if above[0] < block.level]
            path.append((block.level, block.title[:HEADING_LENGTH]))
        for position, (start, end) in enumerate(spans(layout.text, block)):
            yield _Piece(
                start=start,
                end=end,
                tokens=tokens(layout.text[start:end]),
                opens=block.kind is BlockKind.HEADING and position == 0,
                path=tuple(title for _, title in path),
                page=block.page,
            )


def _covering(layout: Layout) -> Iterator[Block]:
    """The blocks, and between them what is in none."""
    at = 0
    for block in layout.blocks:
        yield from _between(layout.text, at, block.start)
        yield block
        at = block.end
    yield from _between(layout.text, at, len(layout.text))


def _between(text: str, start: int, end: int) -> Iterator[Block]:
    start, end = trimmed(text, start, end)
    if start < end:
        yield Block(kind=BlockKind.PARAGRAPH, start=start, end=end)


def _grouped(pieces: Iterable[_Piece]) -> Iterator[Sequence[_Piece]]:
    group: list[_Piece] = []
    size = 0
    for piece in pieces:
        full = size + piece.tokens > MAX_TOKENS
        if group and (full or (piece.opens and size >= SMALL_TOKENS)):
            # A heading goes with what it heads.
            carried = _headings_at_end(group) if full and not piece.opens else []
            yield group[: len(group) - len(carried)]
            group, size = carried, sum(each.tokens for each in carried)
            if size + piece.tokens > MAX_TOKENS and group:
                yield group
                group, size = [], 0
        group.append(piece)
        size += piece.tokens
    if group:
        yield group


def _headings_at_end(group: Sequence[_Piece]) -> list[_Piece]:
    """The headings that end `group`, unless it has nothing else."""
    place = len(group)
    while place > 0 and group[place - 1].opens:
        place -= 1
    return list(group[place:]) if place else []


def _chunk(text: str, number: int, group: Sequence[_Piece]) -> Chunk:
    start, end = group[0].start, group[-1].end
    pages = [piece.page for piece in group if piece.page is not None]
    return Chunk(
        number=number,
        text=text[start:end],
        start=start,
        end=end,
        heading=_common([piece.path for piece in group if not piece.opens] or [group[-1].path]),
        pages=(min(pages), max(pages)) if pages else None,
    )


def _common(paths: Sequence[Path]) -> Path:
    """The longest path that all of `paths` begin with."""
    shortest, longest = min(paths), max(paths)
    for place, title in enumerate(shortest):
        if place >= len(longest) or longest[place] != title:
            return shortest[:place]
    return shortest
