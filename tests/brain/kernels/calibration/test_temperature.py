"""soma.brain.kernels.calibration.temperature"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soma.brain.kernels.calibration.temperature import Doubles, fit_temperature, scaled

shares = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=30)
temperatures = st.floats(0.1, 10.0)


def likelihood(probabilities: Doubles, outcomes: Doubles) -> float:
    kept = np.clip(probabilities, 1e-12, 1 - 1e-12)
    return float(np.sum(outcomes * np.log(kept) + (1 - outcomes) * np.log(1 - kept)))


def drawn(count: int, temperature: float, seed: int) -> tuple[Doubles, Doubles]:
    """Probabilities, and outcomes that follow them at `temperature`."""
    random = np.random.default_rng(seed)
    probabilities = random.uniform(0.02, 0.98, count)
    return probabilities, (random.random(count) < scaled(probabilities, temperature)).astype(np.float64)


@settings(deadline=None)
@given(shares, temperatures)
@pytest.mark.req("RHO-001")
def test_scaling_keeps_the_order_and_the_side(shares: list[float], temperature: float) -> None:
    before = np.sort(np.array(shares))
    after = scaled(before, temperature)
    assert ((after >= 0) & (after <= 1)).all()
    assert (np.diff(after) >= 0).all()
    assert (after[before < 0.5] <= 0.5).all() and (after[before > 0.5] >= 0.5).all()
    np.testing.assert_allclose(scaled(1 - before, temperature), 1 - after, atol=1e-9)


@settings(deadline=None)
@given(shares)
@pytest.mark.req("RHO-001")
def test_temperature_one_changes_nothing(shares: list[float]) -> None:
    np.testing.assert_allclose(scaled(np.array(shares), 1.0), shares, atol=2e-6)


@pytest.mark.req("RHO-001")
@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_the_temperature_of_the_outcomes_is_found(temperature: float) -> None:
    probabilities, outcomes = drawn(20_000, temperature, 1)
    assert fit_temperature(probabilities, outcomes) == pytest.approx(temperature, rel=0.05)


@settings(deadline=None)
@given(st.integers(0, 1000), temperatures, temperatures)
@pytest.mark.req("RHO-001")
def test_no_other_temperature_makes_the_outcomes_likelier(seed: int, truth: float, other: float) -> None:
    probabilities, outcomes = drawn(50, truth, seed)
    found = fit_temperature(probabilities, outcomes)
    best = likelihood(scaled(probabilities, found), outcomes)
    assert best >= likelihood(scaled(probabilities, other), outcomes) - 1e-9


@pytest.mark.req("RHO-001")
def test_what_tells_nothing_and_what_tells_all() -> None:
    assert fit_temperature(np.empty(0), np.empty(0)) == 1.0
    assert fit_temperature(np.array([0.5, 0.5]), np.array([0.0, 1.0])) == 1.0
    assert fit_temperature(np.array([0.2, 0.9]), np.array([0.0, 1.0])) == pytest.approx(0.05)
    assert fit_temperature(np.array([0.2, 0.9]), np.array([1.0, 0.0])) == pytest.approx(20.0)
