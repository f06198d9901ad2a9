"""Vectors at no cost, for sizes at which a model would take hours."""

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from soma.brain.api import Embedder

WIDTH = 384
CENTRES = 500
NOISES = 50_000
SPREAD = 1.2
"""The noise of a vector by its centre: two of one centre have a cosine of .4, as texts of one subject do."""

DECAY = -0.54
"""The k-th direction varies as k to this power: so it is with the vectors of 20,000 paragraphs of English,
of which most of the variance lies in a hundred directions."""

Float32 = NDArray[np.float32]


class SimulatedEmbedder:
    """Vectors around directions chosen at random: a text's checksum says which direction and which noise.
    Where there is an `also`, it embeds each text too, for the time that it takes."""

    def __init__(self, *, also: Embedder | None = None) -> None:
        chosen = np.random.default_rng(5)
        self.name = "simulated"
        self.dimensions = WIDTH
        basis, _ = np.linalg.qr(chosen.standard_normal((WIDTH, WIDTH)))
        spectrum = (np.arange(1.0, WIDTH + 1.0) ** DECAY)[:, None] * basis
        spectrum = (spectrum / np.sqrt((spectrum**2).sum() / WIDTH)).astype(np.float32)
        self._centres = chosen.standard_normal((CENTRES, WIDTH), np.float32) @ spectrum
        self._noises = chosen.standard_normal((NOISES, WIDTH), np.float32) @ spectrum
        self._also = also

    def embed(self, texts: Sequence[str]) -> Float32:
        """See Embedder."""
        if self._also is not None:
            self._also.embed(texts)
        sums = np.array([zlib.crc32(text.encode()) for text in texts], np.int64)
        first, second = self._noises[sums % NOISES], self._noises[sums * 31 % 49_999]
        return _unit(self._centres[sums % CENTRES] + SPREAD * 0.5**0.5 * (first + second))

    def embed_parts(
        self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]
    ) -> tuple[Float32, Float32]:
        """See Embedder. A part lies between its text's vector and its own."""
        wholes = self.embed(texts)
        owners = [place for place, each in enumerate(spans) for _ in each]
        parts = [text[start:end] for text, each in zip(texts, spans, strict=True) for start, end in each]
        return wholes, _unit(wholes[owners] + self.embed(parts)) if parts else np.empty(
            (0, WIDTH), np.float32
        )


def _unit(vectors: Float32) -> Float32:
    unit: Float32 = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit
