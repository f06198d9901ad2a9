"""soma.brain.kernels.hrr.binding"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soma.brain.kernels.hrr.binding import bind, bundle, permute, unbind
from soma.brain.kernels.hrr.similarity import cosines, norms
from soma.brain.kernels.hrr.spectrum import Spectra, from_time, to_time
from tests.brain.kernels.hrr.spectra import (
    DIMENSION,
    gaussian,
    gaussian_spectra,
    seeds,
    shifts,
    unitary,
)


def cosine(a: Spectra, b: Spectra) -> float:
    return float(cosines(a[None], b)[0])


@settings(deadline=None)
@given(seeds)
@pytest.mark.req("HRR-001")
def test_binding_is_circular_convolution(seed: int) -> None:
    a, b = gaussian(2, seed)
    convolved = np.fft.ifft(np.fft.fft(a) * np.fft.fft(b)).real
    np.testing.assert_allclose(to_time(bind(from_time(a), from_time(b))), convolved, atol=1e-6)


@pytest.mark.req("HRR-001")
def test_binding_by_definition() -> None:
    a, b = gaussian(2, 3, dimension=16)
    summed = [sum(a[j] * b[(k - j) % 16] for j in range(16)) for k in range(16)]
    np.testing.assert_allclose(to_time(bind(from_time(a), from_time(b))), summed, atol=1e-6)


@settings(deadline=None)
@given(seeds)
@pytest.mark.req("HRR-001")
def test_binding_commutes_associates_and_distributes(seed: int) -> None:
    a, b, c = gaussian_spectra(3, seed)
    np.testing.assert_allclose(bind(a, b), bind(b, a), atol=1e-5)
    np.testing.assert_allclose(bind(bind(a, b), c), bind(a, bind(b, c)), atol=1e-4)
    both = bundle(np.stack([b, c]))
    np.testing.assert_allclose(bind(a, both), bind(a, b) + bind(a, c), atol=1e-4)


@settings(deadline=None)
@given(seeds)
@pytest.mark.req("HRR-001")
def test_what_a_unitary_key_bound_it_unbinds_exactly(seed: int) -> None:
    [key], [value] = unitary(1, seed), gaussian_spectra(1, seed)
    bound = bind(key, value)
    assert abs(cosine(bound, value)) < 6.0 / np.sqrt(DIMENSION)
    assert norms(bound) == pytest.approx(float(norms(value)), rel=1e-5)
    np.testing.assert_allclose(unbind(bound, key), value, atol=1e-5)


@pytest.mark.req("HRR-001")
def test_a_thousand_bindings_and_unbindings_lose_nothing() -> None:
    [value], keys = unitary(1, 1, 8192), unitary(1001, 2, 8192)[1:]
    there = value
    for key in keys:
        there = bind(there, key)
    back = there
    for key in keys:
        back = unbind(back, key)
    assert cosine(back, value) > 0.999999
    assert norms(there) == pytest.approx(1.0, abs=1e-4)


@settings(deadline=None)
@given(seeds, st.integers(1, 8))
@pytest.mark.req("HRR-001")
def test_a_bundle_is_like_each_of_its_members(seed: int, count: int) -> None:
    members = unitary(count, seed)
    alike = cosines(members, bundle(members))
    np.testing.assert_allclose(alike, 1.0 / np.sqrt(count), atol=6.0 / np.sqrt(DIMENSION))


@settings(deadline=None)
@given(seeds, shifts, shifts)
@pytest.mark.req("HRR-001")
def test_permuting_shifts_the_vector_around(seed: int, shift: int, further: int) -> None:
    [vector] = gaussian(1, seed)
    spectrum = from_time(vector)
    np.testing.assert_allclose(to_time(permute(spectrum, shift)), np.roll(vector, shift), atol=1e-6)
    twice = permute(permute(spectrum, shift), further)
    np.testing.assert_allclose(twice, permute(spectrum, shift + further), atol=1e-5)


@settings(deadline=None)
@given(seeds, shifts)
@pytest.mark.req("HRR-001")
def test_permuting_keeps_similarities(seed: int, shift: int) -> None:
    a, b = gaussian_spectra(2, seed)
    assert cosine(permute(a, shift), permute(b, shift)) == pytest.approx(cosine(a, b), abs=1e-5)


@settings(deadline=None)
@given(seeds)
@pytest.mark.req("HRR-001")
def test_a_frame_of_five_roles_gives_each_filler_back(seed: int) -> None:
    roles, fillers = unitary(5, seed, 2048), unitary(25, seed + 1, 2048)
    frame = bundle(bind(roles, fillers[::5]))
    assert cosines(fillers, unbind(frame, roles)).argmax(axis=-1).tolist() == [0, 5, 10, 15, 20]
