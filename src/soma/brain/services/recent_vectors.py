"""Vectors of what was said lately and is not consolidated yet, with those of its sentences.

A conversation has the same things at hand turn after turn; while consolidation stands still they would be
embedded at each.
"""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from soma.brain.ports import Embedder
from soma.brain.services.analyse import parts_of
from soma.brain.services.recent_facts import facts_of

KEPT = 1024


class RecentVectors:
    """Keeps the vectors of the texts asked for last. Safe to use from several threads."""

    def __init__(self, size: int = KEPT) -> None:
        self._size = size
        self._known: OrderedDict[tuple[str, str], NDArray[np.float32]] = OrderedDict()
        self._lock = Lock()

    def of(self, embedder: Embedder, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """For each text its vector and then those of its sentences, where it has several: (k, d). Raises
        EmbedderUnavailable."""
        with self._lock:
            known = {text: self._known.get((embedder.name, text)) for text in texts}
        missing = [text for text, vectors in known.items() if vectors is None]
        found = {text: vectors for text, vectors in known.items() if vectors is not None}
        if missing:
            found |= dict(zip(missing, _embedded(embedder, missing), strict=True))
        self._keep(embedder.name, found)
        return [found[text] for text in texts]

    def _keep(self, name: str, vectors: dict[str, NDArray[np.float32]]) -> None:
        with self._lock:
            for text, each in vectors.items():
                self._known[name, text] = each
                self._known.move_to_end((name, text))
            while len(self._known) > self._size:
                self._known.popitem(last=False)


def _embedded(embedder: Embedder, texts: Sequence[str]) -> list[NDArray[np.float32]]:
    parts = [parts_of(text, facts_of(text)) for text in texts]
    vectors, sentences = embedder.embed_parts(texts, parts)
    ends = np.cumsum([len(each) for each in parts], dtype=np.intp)
    return [
        np.vstack([vector[None], sentences[end - len(own) : end]])
        for vector, own, end in zip(vectors, parts, ends, strict=True)
    ]
