"""An embedder that is loaded when it is first needed.

Most commands embed nothing, and loading a model takes longer than all that they do.
"""

from collections.abc import Callable, Sequence
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from soma.brain.ports import Embedder


class LazyEmbedder:
    """See Embedder. What `load` raises, the call that needed it raises; the next one tries again."""

    def __init__(self, load: Callable[[], Embedder], *, name: str, dimensions: int) -> None:
        """`name` and `dimensions` are those of what `load` gives."""
        self.name = name
        self.dimensions = dimensions
        self._load = load
        self._loaded: Embedder | None = None
        self._lock = Lock()

    def load(self) -> Embedder:
        """The embedder, loaded now if nobody has needed it yet."""
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See Embedder."""
        return self.load().embed(texts)

    def embed_parts(
        self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """See Embedder."""
        return self.load().embed_parts(texts, spans)
