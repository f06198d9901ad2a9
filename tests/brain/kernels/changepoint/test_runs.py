"""soma.brain.kernels.changepoint.runs"""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soma.brain.kernels.changepoint.runs import (
    KEPT,
    Expectation,
    Runs,
    change_probability,
    expectation,
    length_probabilities,
    likeliest_length,
    no_runs,
    observe,
)
from soma.brain.kernels.changepoint.segments import segment_starts
from soma.brain.kernels.changepoint.sphere import Doubles, log_normaliser
from tests.brain.kernels.changepoint.streams import stream, unit

seeds = st.integers(0, 2**32)


def after(vectors: Doubles, expected: Expectation, kept: int = KEPT) -> Runs:
    runs = no_runs(expected)
    for vector in vectors:
        runs = observe(runs, vector, expected, kept)
    return runs


def random_vectors(count: int, dimension: int, seed: int) -> Doubles:
    return unit(np.random.default_rng(seed).normal(size=(count, dimension)) + 0.5)


def weight(vectors: Doubles, start: int, end: int, expected: Expectation) -> float:
    """The density of a segment's vectors together, times the chance that it goes on for so long."""
    total = expected.center + expected.concentrations[:, None] * vectors[start:end].sum(axis=0)
    logs = (
        (end - start) * log_normaliser(expected.concentrations, expected.dimension)
        + log_normaliser(np.linalg.norm(expected.center[None], axis=1), expected.dimension)
        - log_normaliser(np.linalg.norm(total, axis=1), expected.dimension)
    )
    return float(np.exp(logs).mean() * (1 - expected.hazard) ** (end - start - 1))


def ways(vectors: Doubles, expected: Expectation) -> list[tuple[float, list[int]]]:
    """Every segmentation: its probability, up to a factor, and its starts."""
    count = len(vectors)
    found = []
    for cuts in product([False, True], repeat=count - 1):
        starts = [0, *(place for place, cut in enumerate(cuts, 1) if cut)]
        pieces = [weight(vectors, *piece, expected) for piece in pairwise([*starts, count])]
        found.append((float(np.prod(pieces)) * expected.hazard ** len(starts), starts))
    return found


def by_definition(vectors: Doubles, expected: Expectation) -> Doubles:
    """The probability of each length of the last segment, summed over all segmentations."""
    shares = np.zeros(len(vectors))
    for probability, starts in ways(vectors, expected):
        shares[len(vectors) - starts[-1] - 1] += probability
    normalised: Doubles = shares / shares.sum()
    return normalised


@settings(deadline=None, max_examples=25)
@given(seeds, st.integers(1, 7), st.floats(0.0, 3.0))
@pytest.mark.req("MEM-006")
def test_the_segments_are_those_of_the_likeliest_segmentation(seed: int, count: int, apart: float) -> None:
    random = np.random.default_rng(seed)
    topics = random.normal(size=(2, 8)) * apart
    vectors = unit(topics[random.integers(0, 2, count)] + random.normal(size=(count, 8)))
    expected = expectation(np.zeros(8), 8.0, length=3.0)
    best = max(ways(vectors, expected))
    assert segment_starts(vectors, expected) == best[1]
    assert likeliest_length(after(vectors, expected)) == count - best[1][-1]


@settings(deadline=None, max_examples=25)
@given(seeds, st.integers(1, 7))
@pytest.mark.req("MEM-006")
def test_the_recursion_is_the_sum_over_all_segmentations(seed: int, count: int) -> None:
    vectors = random_vectors(count, 8, seed)
    expected = expectation(vectors.mean(axis=0), 8.0)
    runs = after(vectors, expected)
    assert runs.lengths.tolist() == list(range(1, count + 1))
    np.testing.assert_allclose(length_probabilities(runs), by_definition(vectors, expected), rtol=1e-6)


@settings(deadline=None, max_examples=25)
@given(seeds, st.integers(1, 40), st.integers(1, 8))
@pytest.mark.req("MEM-006")
def test_however_long_the_stream_so_many_runs_are_kept(seed: int, count: int, kept: int) -> None:
    vectors = random_vectors(count, 8, seed)
    runs = after(vectors, expectation(np.zeros(8), 8.0), kept)
    assert len(runs.lengths) == min(count, kept)
    assert length_probabilities(runs).sum() == pytest.approx(1.0)
    assert (np.diff(runs.lengths) > 0).all()
    for length, total in zip(runs.lengths, runs.sums, strict=True):
        np.testing.assert_allclose(total, vectors[count - length :].sum(axis=0), atol=1e-9)


@pytest.mark.req("MEM-006")
def test_what_is_dropped_was_improbable() -> None:
    vectors, _ = stream(8, 64, 0.5, 3)
    expected = expectation(vectors.mean(axis=0), 40.0)
    few, all_of_them = no_runs(expected), no_runs(expected)
    for vector in vectors:
        few = observe(few, vector, expected)
        all_of_them = observe(all_of_them, vector, expected, kept=10_000)
        assert likeliest_length(few) == likeliest_length(all_of_them)
        assert change_probability(few) == pytest.approx(change_probability(all_of_them), abs=1e-3)


@pytest.mark.req("MEM-006")
def test_a_new_topic_is_noticed_at_its_first_vectors() -> None:
    vectors, starts = stream(6, 64, 0.7, 4)
    expected = expectation(vectors.mean(axis=0), 40.0)
    for start in starts[1:]:
        assert change_probability(after(vectors[:start], expected)) < 0.2
        assert change_probability(after(vectors[: start + 1], expected)) > 0.5
        assert likeliest_length(after(vectors[: start + 3], expected)) == 3


@pytest.mark.req("MEM-006")
def test_the_first_vector_starts_a_segment() -> None:
    runs = after(random_vectors(1, 8, 1), expectation(np.zeros(8), 8.0))
    assert change_probability(runs) == pytest.approx(1.0)
    assert likeliest_length(runs) == 1
