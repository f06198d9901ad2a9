"""soma.brain.kernels.changepoint.sphere"""

from math import exp, lgamma, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soma.brain.kernels.changepoint.sphere import concentration, effective_dimension, log_normaliser
from tests.brain.kernels.changepoint.streams import around, unit


def by_series(kappa: float, dimension: int) -> float:
    """log C(κ) with the Bessel function's power series."""
    order = dimension / 2 - 1
    terms = [2 * m * log(kappa / 2) - lgamma(m + 1) - lgamma(m + order + 1) for m in range(2000)]
    most = max(terms)
    bessel = most + log(sum(exp(term - most) for term in terms))
    return -dimension / 2 * log(2 * np.pi) + order * log(2) - bessel


@pytest.mark.req("MEM-006")
@pytest.mark.parametrize(("dimension", "off"), [(8, 6e-4), (32, 5e-6), (384, 1e-8)])
@pytest.mark.parametrize("kappa", [1e-3, 0.5, 5.0, 50.0, 500.0])
def test_the_normaliser_is_that_of_the_power_series(dimension: int, off: float, kappa: float) -> None:
    [found] = log_normaliser(np.array([kappa]), dimension)
    assert found == pytest.approx(by_series(kappa, dimension), abs=off)


@pytest.mark.req("MEM-006")
def test_without_concentration_the_density_is_one_over_the_area_of_the_sphere() -> None:
    area = log(2) + 192 * log(np.pi) - lgamma(192)
    assert log_normaliser(np.zeros(1), 384)[0] == pytest.approx(-area, abs=1e-6)


@settings(deadline=None)
@given(st.integers(8, 400), st.floats(0.0, 1000.0), st.floats(0.1, 100.0))
@pytest.mark.req("MEM-006")
def test_the_normaliser_falls_with_the_concentration(dimension: int, kappa: float, more: float) -> None:
    low, high = log_normaliser(np.array([kappa, kappa + more]), dimension)
    assert np.isfinite([low, high]).all()
    assert high < low


@settings(deadline=None)
@given(st.integers(8, 400), st.floats(0.05, 0.9))
@pytest.mark.req("MEM-006")
def test_the_concentration_gives_the_resultant_back(dimension: int, resultant: float) -> None:
    # The mean length of a von Mises–Fisher vector along its mean is −d log C/dκ.
    kappa = concentration(resultant, dimension)
    step = 1e-4 * kappa
    low, high = log_normaliser(np.array([kappa - step, kappa + step]), dimension)
    assert (low - high) / (2 * step) == pytest.approx(resultant, rel=0.03)


@pytest.mark.req("MEM-006")
@pytest.mark.parametrize("used", [8, 32, 128])
def test_the_effective_dimension_is_that_of_the_space_the_vectors_fill(used: int) -> None:
    random = np.random.default_rng(1)
    turned, _ = np.linalg.qr(random.normal(size=(384, 384)))
    rows = unit(random.normal(size=(4000, used))) @ turned[:used]
    assert effective_dimension(rows) == pytest.approx(used, rel=0.05)


@pytest.mark.req("MEM-006")
def test_topics_take_dimensions_away_and_too_few_vectors_have_four() -> None:
    random = np.random.default_rng(2)
    topics = unit(random.normal(size=(10, 384)))
    rows = np.concatenate([around(topic, 0.7, 40, random) for topic in topics])
    assert effective_dimension(rows) < 50
    assert effective_dimension(rows[:1]) == effective_dimension(rows[[0, 0]]) == 4.0
