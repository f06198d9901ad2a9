"""soma.brain.kernels.calibration.isotonic"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soma.brain.kernels.calibration.isotonic import (
    Doubles,
    compact,
    fit_isotonic,
    heights_at,
    pool_adjacent_violators,
)

points = st.lists(st.tuples(st.integers(-8, 8), st.integers(1, 4)), max_size=12)


def by_definition(values: Doubles, weights: Doubles) -> list[float]:
    """The largest, over the starts before a place, of the smallest mean up to an end behind it."""
    count = len(values)

    def mean(start: int, end: int) -> float:
        return float(np.average(values[start : end + 1], weights=weights[start : end + 1]))

    return [
        max(min(mean(start, end) for end in range(place, count)) for start in range(place + 1))
        for place in range(count)
    ]


@settings(deadline=None)
@given(points)
@pytest.mark.req("RHO-001")
def test_it_is_the_nearest_rising_sequence(points: list[tuple[int, int]]) -> None:
    values = np.array([value for value, _ in points], np.float64)
    weights = np.array([weight for _, weight in points], np.float64)
    fitted = pool_adjacent_violators(values, weights)
    np.testing.assert_allclose(fitted, by_definition(values, weights), atol=1e-9)
    assert fitted @ weights == pytest.approx(values @ weights)
    assert (np.diff(fitted) > -1e-12).all()
    np.testing.assert_allclose(pool_adjacent_violators(fitted, weights), fitted, atol=1e-12)


@pytest.mark.req("RHO-001")
def test_a_rising_sequence_is_left_as_it_is() -> None:
    values = np.array([0.1, 0.2, 0.2, 0.9])
    np.testing.assert_array_equal(pool_adjacent_violators(values, np.ones(4)), values)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([0.1, 0.3, 0.3, 0.6, 0.8]), st.booleans()), min_size=1, max_size=40)
)
@pytest.mark.req("RHO-001")
def test_the_curve_never_falls_and_is_right_on_average(seen: list[tuple[float, bool]]) -> None:
    scores = np.array([score for score, _ in seen])
    outcomes = np.array([right for _, right in seen], np.float64)
    curve = fit_isotonic(scores, outcomes)
    said = heights_at(curve, np.linspace(-1, 2, 50))
    assert (np.diff(said) >= -1e-12).all() and said.min() >= 0 and said.max() <= 1
    assert heights_at(curve, scores).mean() == pytest.approx(outcomes.mean())


@pytest.mark.req("RHO-001")
def test_the_order_of_the_outcomes_is_all_one() -> None:
    scores, outcomes = np.array([0.4, 0.1, 0.4, 0.9]), np.array([1.0, 0.0, 0.0, 1.0])
    curve, turned = fit_isotonic(scores, outcomes), fit_isotonic(scores[::-1], outcomes[::-1])
    np.testing.assert_array_equal(curve.scores, [0.1, 0.4, 0.9])
    np.testing.assert_array_equal(curve.heights, [0.0, 0.5, 1.0])
    np.testing.assert_array_equal(turned.heights, curve.heights)
    np.testing.assert_allclose(heights_at(curve, np.array([0.0, 0.25, 1.0])), [0.0, 0.25, 1.0])


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-8, 8), st.booleans()), min_size=1, max_size=30))
@pytest.mark.req("RHO-001")
def test_a_compact_curve_says_the_same_with_no_more_points(marks: list[tuple[int, bool]]) -> None:
    curve = fit_isotonic(
        np.array([score for score, _ in marks], np.float64), np.array([told for _, told in marks], np.float64)
    )
    small = compact(curve)
    asked = np.linspace(-10.0, 10.0, 81)
    np.testing.assert_allclose(heights_at(small, asked), heights_at(curve, asked), atol=1e-12)
    assert len(small.scores) <= min(len(curve.scores), 2 * len(set(curve.heights.tolist())))
