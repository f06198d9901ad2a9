"""The sentences of a text, and which of them ask."""

import re
from collections.abc import Iterator

SENTENCE = re.compile(r"[^.!?\n…。\uff01\uff1f]+[.!?…。\uff01\uff1f]*[\"')\]”’]*")
"""The ends of a sentence in Latin and, with their full width, in Chinese and Japanese script."""
QUESTION_START = re.compile(
    r"""^(?:(?:hi|hey|hello|ok|okay|so|and|but|well|now|then|oh|wow)\b[\s,!]*)*
    (?:(?:what|who|whose|where|when|why|how|which)(?:'s|’s|\ is|\ are|\ was|\ were|\ do|\ does|\ did|\ about
        |\ have|\ has|\ can|\ could|\ will|\ would|\ many|\ much|\ long|\ often)\b
    |(?:do|did|does|are|is|was|were|have|has|can|could|will|would)
        \ (?:you|he|she|it|they|we|there|your|i)\b)""",
    re.IGNORECASE | re.VERBOSE,
)
"""How a question opens where people leave its mark out."""

SENTENCE_WORDS = 40
"""A sentence longer than half as much again is cut into windows of this length that overlap by half."""
FRAGMENT_WORDS = 3
"""A sentence shorter than this joins the next one: "Wow!" has no meaning to match."""

WORD = re.compile(r"\S+")

Span = tuple[int, int]
"""Where a part of a text starts, and where it has ended, in characters."""


def is_question(sentence: str) -> bool:
    """Whether a sentence asks: by its mark, or where it has no mark at all by how it opens."""
    end = sentence.rstrip(" \"')]”’")
    if end.endswith(("?", "\uff1f")):
        return True
    return not end.endswith((".", "!", "…", "。")) and QUESTION_START.match(end) is not None


def sentence_spans(text: str) -> list[Span]:
    """The parts of a text that get a vector each, without the white space around them; at least one."""
    parts, carried = list[Span](), None
    for found, end in _found(text):
        start = found if carried is None else carried[0]
        size, carried = len(text[start:end].split()), None
        if size < FRAGMENT_WORDS:
            carried = start, end
        elif size <= SENTENCE_WORDS * 3 // 2:
            parts.append((start, end))
        else:
            parts.extend(_windows(text, start, end))
    if carried is not None:
        parts.append((parts.pop()[0] if parts else carried[0], carried[1]))
    return parts or [(0, len(text))]


def _found(text: str) -> Iterator[Span]:
    for match in SENTENCE.finditer(text):
        part = match[0].rstrip()
        if part:
            yield match.start() + len(part) - len(part.lstrip()), match.start() + len(part)


def _windows(text: str, start: int, end: int) -> Iterator[Span]:
    words = [match.span() for match in WORD.finditer(text, start, end)]
    step = SENTENCE_WORDS // 2
    for first in range(0, len(words) - step, step):
        window = words[first : first + SENTENCE_WORDS]
        yield window[0][0], window[-1][1]
