"""soma.brain.kernels.density.sketch"""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soma.brain.kernels.density.sketch import Doubles, Sketch, absorb, empty, merge
from tests.brain.kernels.density.embeddings import embeddings, seeds

counts = st.integers(0, 120)
ranks = st.integers(1, 12)
decays = st.sampled_from([0.5, 0.8, 1.0])


def assert_bounded(sketch: Sketch, rows: Doubles) -> None:
    """What Frequent Directions promise, and that nothing is added to the covariance."""
    missing = np.linalg.eigvalsh(rows.T @ rows - sketch.rows.T @ sketch.rows)
    slack = 1e-9 * (1.0 + sketch.energy)
    assert missing[0] >= -slack
    assert missing[-1] <= sketch.lost + slack
    tails = np.linalg.svd(rows, compute_uv=False) ** 2
    for k in range(sketch.rank):
        assert missing[-1] <= tails[k:].sum() / (sketch.rank - k) + slack


@settings(deadline=None)
@given(seeds, counts, ranks, decays)
@pytest.mark.req("RHO-001")
def test_the_error_stays_within_its_bound(seed: int, count: int, rank: int, decay: float) -> None:
    rows = embeddings(count, 16, seed, decay)
    sketch = absorb(empty(rank, 16), rows)
    assert len(sketch.rows) <= 2 * rank
    assert (sketch.count, sketch.rank) == (count, rank)
    assert sketch.energy == pytest.approx(np.sum(rows**2))
    assert_bounded(sketch, rows)


@settings(deadline=None)
@given(seeds, st.lists(counts, min_size=1, max_size=4), ranks, ranks, decays)
@pytest.mark.req("RHO-001")
def test_merging_keeps_the_bound(
    seed: int, parts: list[int], rank: int, other_rank: int, decay: float
) -> None:
    rows = embeddings(sum(parts), 16, seed, decay)
    chunks = np.split(rows, np.cumsum(parts)[:-1])
    merged = empty(other_rank, 16)
    for chunk in chunks:
        merged = merge(merged, absorb(empty(rank, 16), chunk))
    assert merged.rank == min(rank, other_rank)
    assert (len(merged.rows), merged.count) <= (2 * merged.rank, len(rows))
    assert merged.energy == pytest.approx(np.sum(rows**2))
    assert_bounded(merged, rows)


@settings(deadline=None)
@given(seeds, st.lists(st.integers(0, 30), max_size=6), ranks)
@pytest.mark.req("RHO-001")
def test_it_is_all_one_how_the_stream_is_cut(seed: int, parts: list[int], rank: int) -> None:
    rows = embeddings(sum(parts), 16, seed)
    pieces = empty(rank, 16)
    for start, count in zip(np.cumsum([0, *parts[:-1]]), parts, strict=False):
        pieces = absorb(pieces, rows[start : start + count])
    whole = absorb(empty(rank, 16), rows)
    np.testing.assert_allclose(pieces.rows, whole.rows, atol=1e-12)
    assert pieces.lost == pytest.approx(whole.lost)


@settings(deadline=None)
@given(seeds, counts, ranks, decays, st.randoms(use_true_random=False))
@pytest.mark.req("RHO-001")
def test_the_order_of_the_stream_changes_no_more_than_was_lost(
    seed: int, count: int, rank: int, decay: float, random: Random
) -> None:
    rows = embeddings(count, 16, seed, decay)
    order = random.sample(range(count), count)
    one, other = absorb(empty(rank, 16), rows), absorb(empty(rank, 16), rows[order])
    apart = np.linalg.norm(one.rows.T @ one.rows - other.rows.T @ other.rows, 2)
    slack = 1e-9 * (1.0 + one.energy)
    assert apart <= max(one.lost, other.lost) + slack
    assert max(one.lost, other.lost) <= one.energy / rank + slack


@settings(deadline=None)
@given(seeds, st.integers(1, 100), st.integers(1, 6))
@pytest.mark.req("RHO-001")
def test_what_has_no_more_directions_than_rows_is_kept_exactly(seed: int, count: int, rank: int) -> None:
    random = np.random.default_rng(seed)
    rows = random.normal(size=(count, rank)) @ random.normal(size=(rank, 16))
    sketch = absorb(empty(rank, 16), rows)
    assert sketch.lost == pytest.approx(0.0, abs=1e-8 * (1 + sketch.energy))
    np.testing.assert_allclose(sketch.rows.T @ sketch.rows, rows.T @ rows, atol=1e-7 * (1 + sketch.energy))


@pytest.mark.req("RHO-001")
def test_vectors_in_float32_and_vectors_of_zero_are_taken() -> None:
    sketch = absorb(empty(2, 4), np.zeros((20, 4), np.float32))
    assert (sketch.count, sketch.energy, sketch.lost) == (20, 0.0, 0.0)
    assert np.isfinite(sketch.rows).all()
