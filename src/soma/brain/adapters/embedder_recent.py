"""Vectors of texts that were embedded a moment ago.

A turn embeds its message to recall, and consolidation embeds it again to remember.
"""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from soma.brain.ports import Embedder

REMEMBERED = 4096
"""Texts kept: 6 MB of vectors of 384 components."""


class RecentEmbedder:
    """An embedder that keeps the vectors of the texts it was asked for last. See Embedder."""

    def __init__(self, embedder: Embedder, *, size: int = REMEMBERED) -> None:
        self.name = embedder.name
        self.dimensions = embedder.dimensions
        self._embedder = embedder
        self._size = size
        self._vectors: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self._lock = Lock()

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See Embedder."""
        with self._lock:
            known = {text: self._vectors[text] for text in texts if text in self._vectors}
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        if missing:
            known |= dict(zip(missing, self._embedder.embed(missing), strict=True))
        self._keep(known)
        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        for position, text in enumerate(texts):
            vectors[position] = known[text]
        return vectors

    def embed_parts(
        self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """See Embedder. Texts whose parts are asked for are embedded, known or not."""
        if not any(spans):
            return self.embed(texts), np.empty((0, self.dimensions), np.float32)
        vectors, parts = self._embedder.embed_parts(texts, spans)
        self._keep(dict(zip(texts, vectors, strict=True)))
        return vectors, parts

    def _keep(self, vectors: dict[str, NDArray[np.float32]]) -> None:
        with self._lock:
            for text, vector in vectors.items():
                self._vectors[text] = vector
                self._vectors.move_to_end(text)
            while len(self._vectors) > self._size:
                self._vectors.popitem(last=False)
