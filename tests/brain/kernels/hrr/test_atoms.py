"""soma.brain.kernels.hrr.atoms"""

from hashlib import sha256

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from soma.brain.kernels.hrr.atoms import TURN, atom, atoms, circle
from soma.brain.kernels.hrr.similarity import cosines, norms
from soma.brain.kernels.hrr.spectrum import to_time
from tests.brain.kernels.hrr.spectra import DIMENSION, seeds, unitary

names = st.text(max_size=12)


@settings(deadline=None)
@given(names, names, seeds)
@pytest.mark.req("HRR-001")
def test_every_bin_has_modulus_one_and_the_ends_are_real(role: str, token: str, seed: int) -> None:
    spectrum = atom(role, token, seed, DIMENSION)
    np.testing.assert_allclose(np.abs(spectrum), 1.0, atol=1e-7)
    assert set(spectrum[[0, -1]]) <= {1 + 0j, -1 + 0j}
    assert norms(spectrum) == pytest.approx(1.0, abs=1e-6)
    assert np.linalg.norm(to_time(spectrum)) == pytest.approx(1.0, abs=1e-6)


@settings(deadline=None)
@given(names, st.lists(names, max_size=4), seeds)
@pytest.mark.req("HRR-001")
def test_a_name_gives_one_vector_alone_or_among_others(role: str, tokens: list[str], seed: int) -> None:
    together = atoms(role, tokens, seed, DIMENSION)
    assert together.shape == (len(tokens), DIMENSION // 2 + 1)
    for token, spectrum in zip(tokens, together, strict=True):
        np.testing.assert_array_equal(spectrum, atom(role, token, seed, DIMENSION))


@settings(deadline=None)
@given(st.tuples(names, names, seeds), st.tuples(names, names, seeds))
@pytest.mark.req("HRR-001")
def test_other_names_give_other_vectors(one: tuple[str, str, int], other: tuple[str, str, int]) -> None:
    assume(one != other)
    [cosine] = cosines(atom(*one, DIMENSION)[None], atom(*other, DIMENSION))
    assert abs(cosine) < 6.0 / np.sqrt(DIMENSION)


@pytest.mark.req("HRR-001")
def test_no_two_names_run_into_one() -> None:
    [cosine] = cosines(atom("a|b", "c", 1)[None], atom("a", "b|c", 1))
    assert abs(cosine) < 0.1


@pytest.mark.req("HRR-001")
def test_unrelated_vectors_have_cosines_as_chance_has_them() -> None:
    vectors = unitary(200, 5)
    found = cosines(vectors, vectors)[np.triu_indices(200, 1)] * np.sqrt(DIMENSION)
    assert abs(found.mean()) < 0.03
    assert found.std() == pytest.approx(1.0, abs=0.02)


@pytest.mark.req("HRR-001")
def test_the_bits_are_the_same_on_every_machine() -> None:
    digest = sha256(atoms("who", ["Ada", "Grace"], 7).astype("<c8").tobytes()).hexdigest()
    assert digest == "0147b5dbd05d3c0f29d90cf6e3741b1f866719fcdd6ec23b01b9f4363986d6ed"


@pytest.mark.req("HRR-001")
def test_no_mathematical_library_can_round_the_circle_otherwise() -> None:
    angles = np.arange(TURN // 8 + 1) * (2.0 * np.pi / TURN)
    for exact in (np.cos(angles), np.sin(angles)):
        margin = 4.0 * np.spacing(exact)
        np.testing.assert_array_equal(
            (exact - margin).astype(np.float32), (exact + margin).astype(np.float32)
        )


@pytest.mark.req("HRR-001")
def test_the_circle_is_the_roots_of_one() -> None:
    np.testing.assert_allclose(circle(), np.exp(2j * np.pi * np.arange(TURN) / TURN), atol=6e-8)
    np.testing.assert_array_equal(circle()[:: TURN // 4], [1, 1j, -1, -1j])
