"""soma.brain.kernels.diversity"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soma.brain.kernels.diversity import Floats, diverse

pytestmark = pytest.mark.req("MEM-002")

seeds, sizes, counts, shares = (
    st.integers(0, 2**32 - 1),
    st.integers(0, 25),
    st.integers(0, 30),
    st.floats(0.0, 1.0),
)


def items(seed: int, size: int) -> tuple[Floats, Floats]:
    """Scores with ties, and unit vectors."""
    draw = np.random.default_rng(seed)
    vectors = draw.normal(size=(size, 6))
    return np.round(draw.normal(size=size), 1), vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@settings(deadline=None)
@given(seeds, sizes, counts)
def test_without_diversity_it_is_the_order_of_scores(seed: int, size: int, count: int) -> None:
    scores, vectors = items(seed, size)
    chosen = diverse(scores, vectors, count, 0.0).chosen
    assert chosen.tolist() == np.argsort(-scores, kind="stable")[:count].tolist()


@settings(deadline=None)
@given(seeds, sizes, counts, shares)
def test_it_chooses_each_once_and_none_that_is_not_there(
    seed: int, size: int, count: int, share: float
) -> None:
    scores, vectors = items(seed, size)
    found = diverse(scores, vectors, count, share)
    assert len(found.chosen) == len(set(found.chosen.tolist())) == min(size, count)
    assert all(0 <= each < size for each in found.chosen)
    assert (np.diff(found.gains) <= 1e-12).all()
    if count and size:
        assert scores[found.chosen[0]] == scores.max()


@settings(deadline=None)
@given(seeds, sizes, shares)
def test_each_is_the_best_that_was_left(seed: int, size: int, share: float) -> None:
    """By the definition, one at a time."""
    scores, vectors = items(seed, size)
    spread = (scores - scores.min()) / np.ptp(scores) if size and np.ptp(scores) > 0 else np.ones(size)
    chosen = diverse(scores, vectors, size, share).chosen.tolist()
    for place, each in enumerate(chosen):
        alike = np.maximum(0.0, (vectors @ vectors[chosen[:place]].T).max(axis=1, initial=0.0))
        worth = (1.0 - share) * spread - share * alike
        assert worth[each] >= worth[chosen[place:]].max() - 1e-9


def test_what_says_the_same_comes_last() -> None:
    scores = np.array([1.0, 0.99, 0.5])
    vectors = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert diverse(scores, vectors, 3, 0.0).chosen.tolist() == [0, 1, 2]
    assert diverse(scores, vectors, 3, 0.5).chosen.tolist() == [0, 2, 1]
