"""soma.brain.kernels.density.whitening"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soma.brain.kernels.density.sketch import Doubles, Sketch, absorb, empty
from soma.brain.kernels.density.whitening import noise_level, whitened_cosines, whitened_scores
from tests.brain.kernels.density.embeddings import embeddings, seeds, unit

noises = st.floats(1e-4, 10.0)


@settings(deadline=None)
@given(seeds, st.integers(0, 60), st.integers(1, 8), noises)
@pytest.mark.req("RHO-001")
def test_scores_are_those_of_the_inverse_in_full(seed: int, count: int, rank: int, noise: float) -> None:
    sketch = absorb(empty(rank, 16), embeddings(count, 16, seed))
    query, *candidates = embeddings(6, 16, seed + 1)
    density = sketch.rows.T @ sketch.rows / sketch.energy if count else np.zeros((16, 16))
    inverse = np.linalg.inv(density + noise * np.eye(16))
    scores = whitened_scores(query, np.array(candidates), sketch, noise)
    np.testing.assert_allclose(scores, np.array(candidates) @ inverse @ query, rtol=1e-6, atol=1e-6 / noise)


@settings(deadline=None)
@given(seeds, noises)
@pytest.mark.req("RHO-001")
def test_cosines_are_cosines(seed: int, noise: float) -> None:
    sketch = absorb(empty(4, 16), embeddings(40, 16, seed))
    query, *others = embeddings(6, 16, seed + 1)
    found = whitened_cosines(query, np.array([query, 3 * query, -query, 0 * query, *others]), sketch, noise)
    np.testing.assert_allclose(found[:4], [1, 1, -1, 0], atol=1e-7)
    assert (np.abs(found) <= 1 + 1e-7).all()


@settings(deadline=None)
@given(seeds)
@pytest.mark.req("RHO-001")
def test_with_much_noise_they_are_plain_cosines(seed: int) -> None:
    sketch = absorb(empty(4, 16), embeddings(40, 16, seed))
    query, *candidates = unit(embeddings(6, 16, seed + 1))
    found = whitened_cosines(query, np.array(candidates), sketch, 1e6)
    np.testing.assert_allclose(found, np.array(candidates) @ query, atol=1e-5)


@pytest.mark.req("RHO-001")
def test_vectors_that_are_zero_tell_nothing() -> None:
    sketch = absorb(empty(4, 16), np.zeros((3, 16)))
    query, *candidates = unit(embeddings(6, 16, 1))
    noise = noise_level(sketch, 1.0, 0.0)
    assert noise > 0.0
    found = whitened_cosines(query, np.array(candidates), sketch, noise)
    np.testing.assert_allclose(found, np.array(candidates) @ query, atol=1e-7)


@settings(deadline=None)
@given(seeds, st.integers(0, 60), st.floats(0.5, 50), st.floats(0, 50), st.floats(0, 50))
@pytest.mark.req("RHO-001")
def test_noise_is_positive_and_grows_with_what_is_spread(
    seed: int, count: int, clear: float, one: float, other: float
) -> None:
    sketch = absorb(empty(4, 16), embeddings(count, 16, seed))
    low, high = (noise_level(sketch, clear, spread) for spread in sorted((one, other)))
    assert 0.0 < low <= high
    assert high - low == pytest.approx(abs(one - other) / clear / 16, abs=1e-9)


@pytest.mark.req("RHO-001")
def test_noise_is_what_the_sketch_does_not_hold() -> None:
    rows = unit(embeddings(5000, 32, 1, 1.0))
    sketch = absorb(empty(8, 32), rows)
    unheld = 1 - np.sum(sketch.rows**2) / 5000
    assert unheld > 0.5
    assert noise_level(sketch, 1.0, 0.0) == pytest.approx((unheld + 1 / 5001) / 32)


def found(sketch: Sketch, stored: Doubles, superposed: int, spread: float, *, whitened: bool) -> float:
    """The share of the members of superpositions that are among the nearest to them."""
    random, right = np.random.default_rng(6), 0
    noise = noise_level(sketch, superposed - 1, spread)
    for _ in range(40):
        members = random.choice(len(stored), superposed, replace=False)
        noisy = stored[members].sum(axis=0) + random.normal(size=64) * np.sqrt(spread / 64)
        scores = whitened_cosines(noisy, stored, sketch, noise) if whitened else stored @ noisy
        right += len(np.intersect1d(np.argsort(-scores)[:superposed], members))
    return right / 40 / superposed


@pytest.mark.req("RHO-001")
@pytest.mark.parametrize("superposed", [4, 8])
@pytest.mark.parametrize("spread", [0.0, 0.5])
def test_whitening_finds_more_of_what_is_superposed(superposed: int, spread: float) -> None:
    # Embeddings of one namespace share a direction, and a few more strongly than others.
    stored = unit(unit(embeddings(500, 64, 5, 0.95)) + 0.125)
    sketch = absorb(empty(32, 64), stored)
    plain = found(sketch, stored, superposed, spread, whitened=False)
    assert found(sketch, stored, superposed, spread, whitened=True) > plain + 0.1
