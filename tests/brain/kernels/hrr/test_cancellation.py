"""soma.brain.kernels.hrr.cancellation"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soma.brain.kernels.hrr.binding import bind, bundle, unbind
from soma.brain.kernels.hrr.cancellation import read
from soma.brain.kernels.hrr.similarity import cosines
from soma.brain.kernels.hrr.trace import write
from tests.brain.kernels.hrr.spectra import gaussian_spectra, seeds, unitary

DECAY = 0.08


@pytest.mark.req("HRR-001")
def test_the_last_twenty_of_two_hundred_decayed_writes_are_read() -> None:
    items, right, alone = unitary(4096, 1, 2048), 0, 0
    for trial in range(5):
        keys = unitary(200, 10 + trial, 2048)
        held = np.random.default_rng(trial).integers(0, 4096, 200)
        trace = np.zeros(1025, np.complex64)
        for key, value in zip(keys, held, strict=True):
            trace = write(trace, key, items[value], DECAY)
        right += int(np.sum(read(trace, keys[-20:], items).indices == held[-20:]))
        alone += int(np.sum(cosines(items, unbind(trace, keys[-20:])).argmax(axis=-1) == held[-20:]))
    assert right >= 0.97 * 100
    assert alone < right  # one by one the oldest drown: 94 % is what the noise leaves


@pytest.mark.req("HRR-001")
def test_256_pairs_of_4096_values_are_read() -> None:
    keys, items = unitary(256, 1, 8192), unitary(4096, 2, 8192)
    held = np.random.default_rng(1).integers(0, 4096, 256)
    reading = read(bundle(bind(keys, items[held])), keys, items)
    assert np.mean(reading.indices == held) >= 0.97
    np.testing.assert_array_equal(reading.indices[reading.accepted], held[reading.accepted])


@settings(deadline=None, derandomize=True, max_examples=10)
@given(seeds, st.integers(1, 40))
@pytest.mark.req("HRR-001")
def test_all_pairs_of_a_loaded_trace_are_read(seed: int, pairs: int) -> None:
    keys, items = unitary(pairs, seed, 2048), unitary(300, seed + 1, 2048)
    held = np.random.default_rng(seed).integers(0, 300, pairs)
    reading = read(bundle(bind(keys, items[held])), keys, items)
    np.testing.assert_array_equal(reading.indices[reading.accepted], held[reading.accepted])
    assert reading.accepted.mean() > 0.9


@settings(deadline=None, derandomize=True, max_examples=30)
@given(seeds)
@pytest.mark.req("HRR-001")
def test_what_holds_nothing_is_not_accepted(seed: int) -> None:
    keys, items = unitary(5, seed, 2048), unitary(100, seed + 1, 2048)
    [noise] = gaussian_spectra(1, seed, 2048)
    assert not read(noise, keys, items).accepted.any()
    assert not read(np.zeros_like(noise), keys, items).accepted.any()


@settings(deadline=None, derandomize=True, max_examples=30)
@given(seeds)
@pytest.mark.req("HRR-001")
def test_a_key_that_was_never_written_stays_open(seed: int) -> None:
    keys, items = unitary(6, seed, 2048), unitary(100, seed + 1, 2048)
    trace = bundle(bind(keys[:5], items[:5]))
    reading = read(trace, keys, items)
    assert reading.accepted.tolist() == [True] * 5 + [False]
    assert reading.indices[:5].tolist() == [0, 1, 2, 3, 4]


@pytest.mark.req("HRR-001")
def test_no_keys_read_nothing() -> None:
    items = unitary(3, 1)
    assert read(items[0], items[:0], items).indices.size == 0
