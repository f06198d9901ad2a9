"""soma.brain.kernels.hrr.frames"""

import numpy as np
import pytest

from soma.brain.kernels.hrr.atoms import atoms
from soma.brain.kernels.hrr.binding import bundle, unbind
from soma.brain.kernels.hrr.cancellation import read
from soma.brain.kernels.hrr.cleanup import noise_ceiling
from soma.brain.kernels.hrr.frames import (
    cue_significance,
    filler_vector,
    lifted,
    lowered,
    role_keys,
    superposed,
)
from soma.brain.kernels.hrr.similarity import cosines, dots, norms
from soma.brain.kernels.hrr.spectrum import Spectra

pytestmark = pytest.mark.req("HRR-001")

DECAY = 0.08
ROLES = ("who", "what", "when", "where", "why")


def test_fillers_are_near_by_the_words_they_share() -> None:
    one, other = filler_vector(["science", "museum"], 1), filler_vector(["museum"], 1)
    stranger = filler_vector(["church"], 1)
    assert norms(one) == pytest.approx(1.0, abs=0.03)
    assert cosines(other[None], one)[0] == pytest.approx(np.sqrt(0.5), abs=0.03)
    assert abs(cosines(stranger[None], one)[0]) < 0.05


def test_the_places_of_a_role_are_keys_of_their_own() -> None:
    keys = role_keys("who", 3, 1)
    np.testing.assert_allclose(cosines(keys, keys), np.eye(3), atol=0.05)
    np.testing.assert_allclose(np.abs(keys), 1.0, atol=1e-5)


def test_lifting_keeps_inner_products_and_lowering_undoes_it() -> None:
    vectors = np.random.default_rng(1).normal(size=(4, 384)).astype(np.float32)
    spectra = lifted(vectors)
    np.testing.assert_allclose(dots(spectra, spectra), vectors @ vectors.T, rtol=1e-3, atol=1e-2)
    np.testing.assert_allclose(lowered(spectra[2], 384), vectors[2], atol=1e-4)


def test_keys_spread_noise_of_which_little_is_left() -> None:
    """A lifted vector under a key it is not unbound with: of its power d/D is left."""
    vectors = np.random.default_rng(2).normal(size=(50, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    keys = atoms("key", [str(number) for number in range(50)], 1)
    other = atoms("key", ["other"], 1)[0]
    left = [lowered(unbind(key * lift, other), 384) for key, lift in zip(keys, lifted(vectors), strict=True)]
    assert np.mean(np.square(np.linalg.norm(left, axis=1))) == pytest.approx(384 / 8192, rel=0.1)


def eight_frames(seed: int, fillers: int) -> tuple[Spectra, Spectra, np.ndarray, Spectra]:
    """The keys of eight frames, the items, which item fills each role of each, and their trace."""
    draw = np.random.default_rng(seed)
    items = atoms("word", [str(number) for number in range(fillers)], 1)
    roles = np.stack([role_keys(role, 1, 1)[0] for role in ROLES])
    told = draw.integers(0, fillers, (8, len(ROLES)))
    keys = atoms("frame", [f"{seed}/{number}" for number in range(8)], 1)
    frames = np.stack([bundle(roles * items[row]) for row in told])
    return keys, items, told, superposed(keys, frames, DECAY)


def test_eight_frames_in_one_trace_are_read_without_a_mistake() -> None:
    roles = np.stack([role_keys(role, 1, 1)[0] for role in ROLES])
    for seed in range(5):
        keys, items, told, trace = eight_frames(seed, 300)
        found = read(trace, (keys[:, None] * roles[None]).reshape(-1, keys.shape[1]), items)
        assert found.accepted.all()
        np.testing.assert_array_equal(found.indices.reshape(told.shape), told)


def test_a_cue_stands_out_in_the_frames_that_have_it_and_in_no_other() -> None:
    [who] = role_keys("who", 1, 1)
    for seed in range(5):
        keys, items, told, trace = eight_frames(seed, 300)
        z = cue_significance(trace, keys, who * items[told[0, 0]])
        assert ((z >= noise_ceiling(256)) == (told[:, 0] == told[0, 0])).all()


def test_nothing_superposed_is_no_trace() -> None:
    none = np.empty((0, 4097), np.complex64)
    assert not superposed(none, none, DECAY).any()
