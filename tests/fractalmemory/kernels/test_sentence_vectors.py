"""soma.fractalmemory.kernels.sentence_vectors"""

from collections.abc import Sequence

import numpy as np
import pytest

from soma.fractalmemory.kernels.sentence_vectors import largest_cosine, pack

pytestmark = pytest.mark.req("MEM-002")


def unit(rng: np.random.Generator, count: int) -> np.ndarray:
    vectors = rng.normal(size=(count, 384)).astype(np.float32)
    unit_vectors: np.ndarray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit_vectors


def joined(groups: Sequence[np.ndarray]) -> tuple[bytes, np.ndarray]:
    """The groups packed in a row, and their sizes."""
    packed = [pack(group) for group in groups]
    return b"".join(packed), np.array([len(each) for each in packed], np.int64)


def test_the_largest_cosine_of_each_group_is_nearly_the_exact_one() -> None:
    rng = np.random.default_rng(0)
    query = unit(rng, 1)[0]
    groups = [unit(rng, count) for count in (1, 5, 2, 40)]
    groups[1][3] = query

    found = largest_cosine(*joined(groups), query)

    exact = [float((group @ query).max()) for group in groups]
    assert found == pytest.approx(exact, abs=2e-3)
    assert len(pack(groups[1])) == 5 * (384 + 4)


def test_nothing_has_no_cosines_and_a_zero_vector_has_zero() -> None:
    query = np.eye(384, dtype=np.float32)[0]

    assert largest_cosine(*joined([]), query).tolist() == []
    assert largest_cosine(*joined([np.zeros((1, 384), np.float32)]), query).tolist() == [0.0]
