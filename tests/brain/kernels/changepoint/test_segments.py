"""soma.brain.kernels.changepoint.segments"""

import numpy as np
import pytest

from soma.brain.kernels.changepoint.runs import Expectation, expectation
from soma.brain.kernels.changepoint.segments import segment_starts
from soma.brain.kernels.changepoint.sphere import Doubles, effective_dimension
from tests.brain.kernels.changepoint.streams import stream, unit

HARD = [(16, 0.6), (64, 0.4), (384, 0.3), (384, 0.5), (384, 0.7)]
"""Dimensions, and cosines of the vectors to their segment's mean."""


def expected_of(vectors: Doubles) -> Expectation:
    return expectation(vectors.mean(axis=0), effective_dimension(vectors))


@pytest.mark.req("MEM-006")
@pytest.mark.parametrize(("dimension", "cosine"), HARD)
def test_segments_are_found_where_they_are(dimension: int, cosine: float) -> None:
    found = right = there = 0
    for seed in range(3):
        vectors, starts = stream(12, dimension, cosine, seed)
        starts_found = segment_starts(vectors, expected_of(vectors))
        assert starts_found[0] == 0
        near = [abs(np.array(starts[1:]) - start).min() <= 1 for start in starts_found[1:]]
        found, right, there = found + len(near), right + sum(near), there + len(starts) - 1
    assert right >= 0.9 * there
    assert right >= 0.9 * found


@pytest.mark.req("MEM-006")
@pytest.mark.parametrize(("dimension", "cosine"), HARD)
def test_the_same_vectors_in_any_order_have_no_segments(dimension: int, cosine: float) -> None:
    found = 0
    for seed in range(3):
        vectors, _ = stream(12, dimension, cosine, seed)
        mixed = np.random.default_rng(seed).permutation(vectors)
        found += len(segment_starts(mixed, expected_of(mixed))) - 1
    assert found <= 3  # among some 650 vectors


@pytest.mark.req("MEM-006")
def test_all_384_dimensions_would_take_chance_for_topics() -> None:
    vectors, _ = stream(12, 384, 0.7, 1)
    mixed = np.random.default_rng(1).permutation(vectors)
    boasting = expectation(mixed.mean(axis=0), 384.0)
    assert len(segment_starts(mixed, boasting)) > 20 * len(segment_starts(mixed, expected_of(mixed)))


@pytest.mark.req("MEM-006")
@pytest.mark.parametrize("together", [0.0, 0.7])
@pytest.mark.parametrize("dimension", [32, 384])
def test_unrelated_vectors_are_one_segment(together: float, dimension: int) -> None:
    for seed in range(3):
        unrelated = unit(np.random.default_rng(seed).normal(size=(200, dimension)) + together)
        assert segment_starts(unrelated, expected_of(unrelated)) == [0]


@pytest.mark.req("MEM-006")
def test_vectors_all_alike_are_one_segment() -> None:
    same = np.repeat(unit(np.ones((1, 32))), 50, axis=0)
    assert segment_starts(same, expectation(np.zeros(32), 32.0)) == [0]
    assert segment_starts(same, expected_of(same)) == [0]


@pytest.mark.req("MEM-006")
def test_no_vectors_have_no_segments() -> None:
    assert segment_starts(np.empty((0, 8)), expectation(np.zeros(8), 8.0)) == []
