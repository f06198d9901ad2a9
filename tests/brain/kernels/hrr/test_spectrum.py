"""soma.brain.kernels.hrr.spectrum"""

import numpy as np
import pytest
from hypothesis import given, settings

from soma.brain.kernels.hrr.spectrum import DIMENSION, bins, dimension_of, from_time, parts, to_time
from tests.brain.kernels.hrr.spectra import gaussian, gaussian_spectra, seeds


@pytest.mark.req("HRR-001")
def test_a_vector_of_8192_takes_4097_bins() -> None:
    assert DIMENSION == 8192
    assert bins(DIMENSION) == 4097
    assert dimension_of(np.zeros((3, 4097), np.complex64)) == 8192


@settings(deadline=None)
@given(seeds)
@pytest.mark.req("HRR-001")
def test_there_and_back_again(seed: int) -> None:
    vectors = gaussian(3, seed)
    spectra = from_time(vectors)
    assert spectra.dtype == np.dtype(np.complex64)
    assert to_time(spectra).dtype == np.dtype(np.float32)
    np.testing.assert_allclose(to_time(spectra), vectors, atol=1e-6)


@pytest.mark.req("HRR-001")
def test_parts_are_the_numbers_themselves_and_not_a_copy() -> None:
    spectra = gaussian_spectra(2, 1)
    flat = parts(spectra)
    assert np.shares_memory(flat, spectra)
    np.testing.assert_array_equal(flat[:, ::2], spectra.real)
    np.testing.assert_array_equal(flat[:, 1::2], spectra.imag)
