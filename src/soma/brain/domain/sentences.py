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


def is_question(sentence: str) -> bool:
    """Whether a sentence asks: by its mark, or where it has no mark at all by how it opens."""
    end = sentence.rstrip(" \"')]”’")
    if end.endswith(("?", "\uff1f")):
        return True
    return not end.endswith((".", "!", "…", "。")) and QUESTION_START.match(end) is not None


def sentences(text: str) -> list[str]:
    """The parts of a text that get a vector each; at least one."""
    parts, carried = list[str](), ""
    for span in SENTENCE.findall(text):
        sentence = f"{carried} {span.strip()}".strip()
        size, carried = len(sentence.split()), ""
        if size < FRAGMENT_WORDS:
            carried = sentence
        elif size <= SENTENCE_WORDS * 3 // 2:
            parts.append(sentence)
        else:
            parts.extend(_windows(sentence.split()))
    if carried:
        parts.append(f"{parts.pop()} {carried}" if parts else carried)
    return parts or [text]


def _windows(run: list[str]) -> Iterator[str]:
    step = SENTENCE_WORDS // 2
    for start in range(0, len(run) - step, step):
        yield " ".join(run[start : start + SENTENCE_WORDS])
