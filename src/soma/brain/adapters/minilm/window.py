"""What of a text the model reads at once, and where in it the parts stand that are asked for."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tokenizers import Encoding

Span = tuple[int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """`ids` are the tokens' numbers, with the marks around them. Each of `parts` says with which token it
    begins, and with which it has ended."""

    ids: list[int]
    parts: tuple[Span, ...] = ()


def windows(
    tokenize: Callable[[str], Encoding], most: int, text: str, spans: Sequence[Span]
) -> Iterator[Window]:
    """The start of `text`, then as much more as has the `spans` behind it, which rise. `tokenize` cuts what
    has more than `most` tokens off. A part is cut only if it has more tokens than that by itself."""
    at, encoding, rest = 0, tokenize(text), list(spans)
    while True:
        count = _held(encoding, most, at, rest)
        yield Window(ids=encoding.ids, parts=tuple(_tokens(encoding, at, rest[:count])))
        rest = rest[count:]
        if not rest:
            return
        at = rest[0][0]
        encoding = tokenize(text[at : rest[-1][1]])


def _held(encoding: Encoding, most: int, at: int, spans: Sequence[Span]) -> int:
    """How many of `spans` the window that starts `at` holds: whole, or as far as any window can."""
    if len(encoding) < most:
        return len(spans)
    reach = at + encoding.offsets[-2][1]
    whole = next((count for count, (_, end) in enumerate(spans) if end > reach), len(spans))
    return max(whole, int(spans[0][0] == at)) if spans else 0


def _tokens(encoding: Encoding, at: int, spans: Sequence[Span]) -> Iterator[Span]:
    if not spans:
        return
    starts = [at + start for start, _ in encoding.offsets[1:-1]]
    for start, end in spans:
        first, ended = bisect_left(starts, start) + 1, bisect_left(starts, end) + 1
        # What has no token, as an emoji may, has the window's meaning.
        yield (first, ended) if first < ended else (0, len(encoding))
