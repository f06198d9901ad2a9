"""soma.brain.kernels.hrr.similarity"""

import numpy as np
import pytest
from hypothesis import given, settings

from soma.brain.kernels.hrr.similarity import cosines, dots, norms
from soma.brain.kernels.hrr.spectrum import from_time
from tests.brain.kernels.hrr.spectra import gaussian, gaussian_spectra, seeds


@settings(deadline=None)
@given(seeds)
@pytest.mark.req("HRR-001")
def test_inner_products_and_norms_are_those_of_the_time_domain(seed: int) -> None:
    items, queries = gaussian(5, seed), gaussian(3, seed + 1)
    np.testing.assert_allclose(dots(from_time(items), from_time(queries)), queries @ items.T, atol=1e-5)
    np.testing.assert_allclose(norms(from_time(items)), np.linalg.norm(items, axis=1), rtol=1e-5)


@pytest.mark.req("HRR-001")
@pytest.mark.parametrize("place", [0, 1, 128, 256])
def test_every_bin_has_its_weight(place: int) -> None:
    # DC and Nyquist stand for themselves alone, every other bin for its mirror image too.
    spectrum = np.zeros((1, 257), np.complex64)
    spectrum[0, place] = 1.0
    weight = (1.0 if place in {0, 256} else 2.0) / 512
    assert dots(spectrum, spectrum) == pytest.approx(weight)
    assert norms(spectrum) == pytest.approx(np.sqrt(weight))


@settings(deadline=None)
@given(seeds)
@pytest.mark.req("HRR-001")
def test_cosines_do_not_depend_on_lengths(seed: int) -> None:
    items, [query] = gaussian_spectra(4, seed), gaussian_spectra(1, seed + 1)
    np.testing.assert_allclose(cosines(items * 3, query * 7), cosines(items, query), atol=1e-5)
    assert cosines(items, items[2])[2] == pytest.approx(1.0, abs=1e-5)


@pytest.mark.req("HRR-001")
def test_nothing_is_like_a_zero_vector() -> None:
    items = gaussian_spectra(2, 1)
    np.testing.assert_array_equal(cosines(items, np.zeros_like(items[0])), [0, 0])
    np.testing.assert_array_equal(cosines(np.zeros_like(items), items[0]), [0, 0])
