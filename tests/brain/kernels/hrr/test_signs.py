"""soma.brain.kernels.hrr.signs"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from soma.brain.kernels.hrr.signs import VECTORS, Words, distances, pack_signs, shortlist
from soma.brain.kernels.hrr.similarity import cosines
from tests.brain.kernels.hrr.spectra import gaussian_spectra, seeds, unitary


def words(count: int, seed: int, width: int = 3) -> Words:
    """Words of few different values, so that distances tie."""
    return np.random.default_rng(seed).integers(0, 4, (width, count), np.uint64)


def differing_bits(signs: Words, query: Words) -> NDArray[np.int64]:
    """Counted one by one."""
    return np.array([sum(int(a ^ b).bit_count() for a, b in zip(row, query, strict=True)) for row in signs.T])


@settings(deadline=None)
@given(seeds)
@pytest.mark.req("HRR-001")
def test_each_number_of_the_spectrum_has_its_bit(seed: int) -> None:
    [spectrum] = gaussian_spectra(1, seed)
    bits = np.unpackbits(pack_signs(spectrum).view(np.uint8), bitorder="little")
    assert pack_signs(spectrum).shape == (512 // 64,)
    np.testing.assert_array_equal(bits[2::2], spectrum.real[1:-1] >= 0)
    np.testing.assert_array_equal(bits[3::2], spectrum.imag[1:-1] >= 0)
    assert (bits[0], bits[1]) == (spectrum.real[0] >= 0, spectrum.real[-1] >= 0)


@settings(deadline=None)
@given(seeds)
@pytest.mark.req("HRR-001")
def test_the_opposite_differs_in_all_bits_and_a_longer_one_in_none(seed: int) -> None:
    spectra = unitary(2, seed)
    signs = pack_signs(spectra[0])
    assert distances(pack_signs(spectra * 3), signs)[0] == 0
    opposite = distances(pack_signs(-spectra[:1]), signs)[0]
    assert 512 - opposite <= np.count_nonzero(spectra[0].view(np.float32)[2:-2] == 0)


@settings(deadline=None)
@given(seeds, st.sampled_from([0, 1, 500]), st.sampled_from([1, 7, 8, 9, 20]))
@pytest.mark.req("HRR-001")
def test_distances_are_counted_in_whole_and_in_part_blocks(seed: int, count: int, width: int) -> None:
    signs, query = words(count, seed, width), words(1, seed + 1, width)[:, 0]
    np.testing.assert_array_equal(distances(signs, query), differing_bits(signs, query))


@pytest.mark.req("HRR-001")
@pytest.mark.parametrize("count", [VECTORS - 1, VECTORS, VECTORS + 1])
def test_more_vectors_than_are_compared_at_once(count: int) -> None:
    signs, query = words(count, 1), words(1, 2)[:, 0]
    np.testing.assert_array_equal(distances(signs, query), differing_bits(signs, query))


@pytest.mark.req("HRR-001")
def test_all_of_8192_bits_can_differ() -> None:
    nothing, everything = np.zeros((128, 2), np.uint64), np.full(128, 2**64 - 1, np.uint64)
    assert distances(nothing, everything).tolist() == [8192, 8192]


@settings(deadline=None)
@given(seeds, st.integers(0, 40), st.integers(1, 50))
@pytest.mark.req("HRR-001")
def test_the_shortlist_is_the_nearest_and_of_equals_the_first(seed: int, count: int, asked: int) -> None:
    signs, query = words(count, seed), words(1, seed + 1)[:, 0]
    order = sorted(
        range(count), key=lambda index: (differing_bits(signs[:, index : index + 1], query)[0], index)
    )
    assert shortlist(signs, query, asked).tolist() == order[:asked]


@pytest.mark.req("HRR-001")
def test_signs_of_unitary_spectra_keep_nine_tenths_of_a_cosine() -> None:
    # To a Gaussian query: .9 (the atom's signs) × .8 (the query's), against .64 in the time domain.
    items = unitary(400, 3, 8192)
    query = items[:200].sum(axis=0)
    agreeing = 1.0 - 2.0 * distances(pack_signs(items), pack_signs(query)) / 8192
    kept = (agreeing[:200].mean() - agreeing[200:].mean()) / cosines(items, query)[:200].mean()
    assert kept == pytest.approx(0.9 * 0.8, abs=0.03)
