"""Memories with texts to index in tests, and BM25 done plainly to compare with."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from soma.fractalmemory.api import IndexedRecord, Passage
from tests.fractalmemory.memories import Vector, memory, towards

K1, B = 0.9, 0.4


def told(key: str, text: str, vector: Vector | None = None, **changes: Any) -> IndexedRecord:
    """A memory of the namespace "n" that says `text`; its terms are the words of it. Where many say the same,
    `content_of` is the content instead. `session`, `sentences`, `asks` and so on are the passage's, what else
    is changed the memory's."""
    of_passage = {name: changes.pop(name) for name in PASSAGE if name in changes}
    content = changes.pop("content_of", text)
    indexed = memory(key, towards(0) if vector is None else vector, content=content, **changes)
    return IndexedRecord(record=indexed.record, vector=indexed.vector, passage=passage(text, **of_passage))


PASSAGE = ("session", "told", "asks", "timed", "sentences")


def passage(text: str, **changes: Any) -> Passage:
    """The passage of `text`."""
    words = text.split()
    values: dict[str, Any] = {
        "session": "s",
        "terms": Counter(words),
        "length": len(words),
        "words": len(words),
    }
    return Passage(**{**values, **changes})


def plain_bm25(texts: Mapping[str, Sequence[str]], terms: Sequence[str]) -> dict[str, float]:
    """The BM25 of every text that holds one of `terms`, by its key."""
    mean = sum(map(len, texts.values())) / max(len(texts), 1)
    found: dict[str, float] = {}
    for key, words in texts.items():
        for term in terms:
            frequency = list(words).count(term)
            if frequency:
                holding = sum(term in other for other in texts.values())
                weight = math.log(1 + (len(texts) - holding + 0.5) / (holding + 0.5))
                norm = K1 * (1 - B + B * len(words) / max(mean, 1.0))
                found[key] = found.get(key, 0.0) + weight * frequency * (K1 + 1) / (frequency + norm)
    return found
