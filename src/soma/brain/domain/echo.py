"""What of a reply only repeats the evidence that it was given.

A sentence is a repeat if it says the same words as a sentence of the evidence, or if nearly all of its terms
stand in one of its texts, with as many negations and no number of its own: "Your dog is called Rex" repeats
"My dog is called Rex", "Your dog is not called Rex" does not.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from soma.brain.domain.importance import importance
from soma.brain.domain.sentences import SENTENCE
from soma.brain.domain.terms import terms, words

CONTAINED = 0.75
"""The share of a sentence's terms that are the evidence's, from which it is taken for a repeat."""

FRAME = frozenset("told tell said say mention rememb recal recall know accord note record memori".split())
"""Terms of the words that a repeat is put in: "you told me that …"."""

NEGATION = re.compile(r"\b(?:not|no|never|none|nor|cannot|without)\b|n['’]t\b", re.IGNORECASE)
NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Heard:
    """One sentence or text of the evidence."""

    terms: frozenset[str]
    negations: int
    numbers: frozenset[str]


@dataclass(frozen=True, slots=True)
class EchoLeft:
    """What is new in a text: "" if nothing is. `repeated` of its `sentences` were evidence."""

    content: str
    repeated: int
    sentences: int


def without_echo(text: str, evidence: Collection[str]) -> EchoLeft:
    """`text` without the sentences that repeat one of `evidence`; as it is where none does."""
    said = {_said(sentence) for each in evidence for sentence in _sentences(each)} | {
        _said(e) for e in evidence
    }
    heard = [_heard(part) for each in evidence for part in {each, *_sentences(each)}]
    spans = _sentences(text)
    if evidence and _said(text) in said:
        return EchoLeft("", len(spans), len(spans))
    new = [span for span in spans if not _repeats(span, said, heard)]
    if len(new) == len(spans):
        return EchoLeft(text, 0, len(spans))
    left = " ".join(span.strip() for span in new)
    return EchoLeft(left if importance(left) else "", len(spans) - len(new), len(spans))


def _repeats(span: str, said: Collection[tuple[str, ...]], heard: Sequence[Heard]) -> bool:
    if _said(span) in said:
        return True
    own = _heard(span)
    if not own.terms:
        return False
    return any(_within(own, each) for each in heard)


def _within(own: Heard, other: Heard) -> bool:
    shared = len(own.terms & other.terms)
    return (
        shared >= CONTAINED * len(own.terms)
        and own.negations == other.negations
        and own.numbers <= other.numbers
    )


def _heard(text: str) -> Heard:
    told = frozenset(terms(text))
    return Heard(told - FRAME or told, len(NEGATION.findall(text)), frozenset(NUMBER.findall(text)))


def _sentences(text: str) -> list[str]:
    return [span for span in SENTENCE.findall(text) if span.strip()]


def _said(text: str) -> tuple[str, ...]:
    return tuple(words(text))
