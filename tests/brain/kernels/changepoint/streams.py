"""Streams of unit vectors with known segments."""

import numpy as np

from soma.brain.kernels.changepoint.sphere import Doubles


def unit(rows: Doubles) -> Doubles:
    """Rows of length 1."""
    scaled: Doubles = rows / np.linalg.norm(rows, axis=-1, keepdims=True)
    return scaled


def around(mean: Doubles, cosine: float, count: int, random: np.random.Generator) -> Doubles:
    """`count` unit vectors with about that `cosine` to the unit vector `mean`."""
    noise = unit(random.normal(size=(count, len(mean))))
    return unit(cosine * mean + np.sqrt(1.0 - cosine**2) * noise)


def stream(segments: int, dimension: int, cosine: float, seed: int) -> tuple[Doubles, list[int]]:
    """Vectors of segments of 8 to 29, whose means share a direction, and where each segment starts."""
    random = np.random.default_rng(seed)
    common = unit(random.normal(size=dimension))
    lengths = random.integers(8, 30, segments)
    means = around(common, np.sqrt(0.2), segments, random)
    rows = [around(mean, cosine, length, random) for mean, length in zip(means, lengths, strict=True)]
    return np.concatenate(rows), [0, *np.cumsum(lengths)[:-1].tolist()]
