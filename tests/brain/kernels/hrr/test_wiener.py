"""soma.brain.kernels.hrr.wiener"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soma.brain.kernels.hrr.binding import bind, bundle, unbind
from soma.brain.kernels.hrr.similarity import cosines
from soma.brain.kernels.hrr.spectrum import Spectra
from soma.brain.kernels.hrr.wiener import crosstalk_ratio, wiener_unbind
from tests.brain.kernels.hrr.spectra import gaussian_spectra, seeds, unitary

D = 4096


def loaded(count: int, seed: int) -> tuple[Spectra, Spectra, Spectra]:
    """A trace of `count` pairs, its first key and its first value; no key is unitary."""
    keys, values = gaussian_spectra(count, seed, D), gaussian_spectra(count, seed + 1, D)
    return bundle(bind(keys, values)), keys[0], values[0]


def error(estimate: Spectra, value: Spectra) -> float:
    return float(np.mean(np.abs(estimate - value) ** 2))


@settings(deadline=None)
@given(seeds)
@pytest.mark.req("HRR-001")
def test_without_crosstalk_any_key_is_undone(seed: int) -> None:
    trace, key, value = loaded(1, seed)
    assert crosstalk_ratio(trace, key) < 0.2
    found = wiener_unbind(trace, key, 0.0)
    assert cosines(found[None], value)[0] > 0.99


@settings(deadline=None)
@given(seeds, st.floats(0, 100))
@pytest.mark.req("HRR-001")
def test_for_a_unitary_key_it_is_the_plain_unbinding_shorter(seed: int, ratio: float) -> None:
    [key], [trace] = unitary(1, seed), gaussian_spectra(1, seed)
    shorter = unbind(trace, key) / np.float32(1 + ratio)
    np.testing.assert_allclose(wiener_unbind(trace, key, ratio), shorter, rtol=1e-4, atol=1e-5)


@pytest.mark.req("HRR-001")
@pytest.mark.parametrize("count", [2, 8, 32])
def test_crosstalk_is_measured_from_the_trace(count: int) -> None:
    trace, key, _ = loaded(count, 11)
    assert crosstalk_ratio(trace, key) == pytest.approx(count - 1, rel=0.15)


@settings(deadline=None, derandomize=True, max_examples=20)
@given(seeds, st.sampled_from([2, 4, 16, 64]))
@pytest.mark.req("HRR-001")
def test_no_other_ratio_estimates_better(seed: int, count: int) -> None:
    trace, key, value = loaded(count, seed)
    ratio = crosstalk_ratio(trace, key)
    least = error(wiener_unbind(trace, key, ratio), value)
    assert least < error(wiener_unbind(trace, key, ratio * 5), value)
    assert least < error(wiener_unbind(trace, key, ratio / 5), value)
    assert least < error(unbind(trace, key), value)
    assert least < 0.2 * error(wiener_unbind(trace, key, 2e-5), value)


@pytest.mark.req("HRR-001")
def test_an_empty_bin_gives_nothing() -> None:
    trace, key, _ = loaded(1, 1)
    key = key.copy()
    key[5] = 0
    assert wiener_unbind(trace, key, 0.0)[5] == 0
