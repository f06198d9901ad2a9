"""From texts to what is stored of them: their vectors, their sentences', and their terms."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from soma.brain.domain.sentences import Span
from soma.brain.domain.text_facts import TextFacts, text_facts
from soma.brain.ports import Embedder
from soma.fractalmemory.api import Passage

MAX_SENTENCES = 64
"""A message of the largest size has hundreds, and is read as far as these go."""

Embedding = Callable[[], tuple[NDArray[np.float32], NDArray[np.float32]]]
"""Gives what Embedder.embed_parts does."""

Start = Callable[[Embedding], Embedding]
"""Sees to it that the work is done, and gives what waits for its result."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """A text, and the session it belongs to ("" for none)."""

    content: str
    session: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Analysed:
    """The unit vector of a text (d,), and its passage."""

    vector: NDArray[np.float32] = field(repr=False)
    passage: Passage = field(repr=False)


def analyse(embedder: Embedder, texts: Sequence[Text]) -> list[Analysed]:
    """Analyse `texts`, all embedded in one batch. Raises EmbedderUnavailable."""
    return analysing(embedder, texts, when_asked)()


def analysing(embedder: Embedder, texts: Sequence[Text], start: Start) -> Callable[[], list[Analysed]]:
    """The same, with the embedder started by `start`. What is returned waits for it."""
    facts = [text_facts(text.content) for text in texts]
    parts = [parts_of(text.content, each) for text, each in zip(texts, facts, strict=True)]
    embedded = start(partial(embedder.embed_parts, [text.content for text in texts], parts))
    ends = np.cumsum([len(each) for each in parts], dtype=np.intp)

    def analysed() -> list[Analysed]:
        vectors, sentences = embedded()
        return [
            Analysed(
                vector=vector,
                passage=_passage(text, each, sentences[end - len(own) : end] if own else None),
            )
            for text, each, vector, own, end in zip(texts, facts, vectors, parts, ends, strict=True)
        ]

    return analysed


def when_asked(work: Embedding) -> Embedding:
    """A Start that leaves `work` until its result is wanted."""
    return work


def parts_of(content: str, facts: TextFacts) -> tuple[Span, ...]:
    """The sentences that need a vector of their own."""
    if len(facts.sentences) == 1:
        [(start, end)] = facts.sentences
        if content[start:end].strip() == content.strip():
            return ()
    return facts.sentences[:MAX_SENTENCES]


def _passage(text: Text, facts: TextFacts, sentences: NDArray[np.float32] | None) -> Passage:
    return Passage(
        session=text.session,
        terms=facts.terms,
        length=facts.length,
        words=facts.words,
        told=facts.told,
        asks=facts.asks,
        timed=facts.timed,
        sentences=sentences,
    )
