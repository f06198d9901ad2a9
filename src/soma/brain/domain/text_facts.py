"""What ranking looks at in a text, found once, when it is stored."""

import re
from collections import Counter
from dataclasses import dataclass

from soma.brain.domain.sentences import SENTENCE, Span, is_question, sentence_spans
from soma.brain.domain.terms import WORD, terms

TIME = re.compile(
    r"""\b(?:yesterday|today|tonight|tomorrow|last|next|ago|recently|soon|upcoming|weekend|since|morning|night
    |(?:mon|tues|wednes|thurs|fri|satur|sun)day
    |january|february|march|april|june|july|august|september|october|november|december
    |(?:day|week|month|year)s?|(?:19|20)\d\d|\d{1,2}(?:st|nd|rd|th))\b""",
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class TextFacts:
    """What is kept of a text when it is stored: `terms` and how often each occurs, `length` of them in all.
    `told` is the share of its words that stand in sentences that are no questions; `asks`: its last sentence
    is one; `timed`: it says when something was. `sentences` are where those stand that get a vector each:
    those that ask nothing, if there are any."""

    terms: Counter[str]
    length: int
    words: int
    told: float
    asks: bool
    timed: bool
    sentences: tuple[Span, ...]


def text_facts(text: str) -> TextFacts:
    """The facts of `text`."""
    found = Counter(terms(text))
    spans = [span for span in SENTENCE.findall(text) if WORD.search(span)]
    asking = [is_question(span) for span in spans]
    sizes = [len(WORD.findall(span)) for span in spans]
    total = sum(sizes)
    told = sum(size for size, asks in zip(sizes, asking, strict=True) if not asks)
    return TextFacts(
        terms=found,
        length=found.total(),
        words=total,
        told=told / total if total else 1.0,
        asks=bool(asking) and asking[-1],
        timed=TIME.search(text) is not None,
        sentences=_told_sentences(text),
    )


def _told_sentences(text: str) -> tuple[Span, ...]:
    parts = sentence_spans(text)
    return tuple((start, end) for start, end in parts if not is_question(text[start:end])) or tuple(parts)
