"""soma.brain.kernels.hrr.trace"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soma.brain.kernels.hrr.binding import bind
from soma.brain.kernels.hrr.similarity import cosines, norms
from soma.brain.kernels.hrr.trace import write
from tests.brain.kernels.hrr.spectra import seeds, unitary

decays = st.floats(0.0, 0.9)


@settings(deadline=None)
@given(seeds, decays, st.integers(0, 12))
@pytest.mark.req("HRR-001")
def test_a_pair_fades_by_its_age_and_by_nothing_else(seed: int, decay: float, count: int) -> None:
    keys, values = unitary(count, seed), unitary(count, seed + 1)
    trace = np.zeros(257, np.complex64)
    for key, value in zip(keys, values, strict=True):
        trace = write(trace, key, value, decay)
    faded = (1.0 - decay) ** np.arange(count)[::-1]
    np.testing.assert_allclose(trace, faded @ bind(keys, values), atol=1e-5)
    assert trace.dtype == np.complex64


@settings(deadline=None)
@given(seeds, decays)
@pytest.mark.req("HRR-001")
def test_writing_is_linear_in_the_trace(seed: int, decay: float) -> None:
    one, other, key, value = unitary(4, seed)
    together = write(one + other, key, value, decay)
    apart = write(one, key, value, decay) + write(other, 0 * key, value, decay)
    np.testing.assert_allclose(together, apart, atol=1e-5)


@pytest.mark.req("HRR-001")
def test_a_long_trace_settles() -> None:
    keys, values, decay = unitary(200, 1, 2048), unitary(200, 2, 2048), 0.08
    trace = np.zeros(1025, np.complex64)
    for key, value in zip(keys, values, strict=True):
        trace = write(trace, key, value, decay)
    settled = 1.0 / np.sqrt(decay * (2.0 - decay))
    assert norms(trace) == pytest.approx(settled, rel=0.05)
    found = cosines(bind(keys[-20:], values[-20:]), trace)
    np.testing.assert_allclose(found[::-1], 0.92 ** np.arange(20) / settled, atol=5 / np.sqrt(2048))
