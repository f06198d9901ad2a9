"""Vectors that share directions, as embeddings of one namespace do."""

import numpy as np
from hypothesis import strategies as st

from soma.brain.kernels.density.sketch import Doubles

seeds = st.integers(0, 2**32)


def embeddings(count: int, dimension: int, seed: int, decay: float = 0.8) -> Doubles:
    """Rows whose spread falls by `decay` from one direction to the next."""
    random = np.random.default_rng(seed)
    turned, _ = np.linalg.qr(random.normal(size=(dimension, dimension)))
    rows: Doubles = (random.normal(size=(count, dimension)) * decay ** np.arange(dimension)) @ turned
    return rows


def unit(rows: Doubles) -> Doubles:
    """Rows of length 1."""
    scaled: Doubles = rows / np.linalg.norm(rows, axis=-1, keepdims=True)
    return scaled
