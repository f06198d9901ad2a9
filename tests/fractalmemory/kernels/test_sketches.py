"""soma.fractalmemory.kernels.sketches and sketch_block"""

from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.fractalmemory.kernels.sketch_block import bounds, hexadecimal, sketches, unpack, without
from soma.fractalmemory.kernels.sketches import (
    LARGE,
    RATIO,
    differing,
    fewest,
    leaning,
    signs_of,
    sketches_of,
)

pytestmark = pytest.mark.req("STORE-001")

WIDTH = 384


def vectors(count: int, seed: int = 0) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.random.default_rng(seed).standard_normal((count, WIDTH)).astype(np.float32)


def magnitudes(sketched: np.ndarray[tuple[int, int], np.dtype[np.uint8]]) -> np.ndarray:
    """Which components are large."""
    return np.unpackbits(sketched[:, WIDTH // 8 :], axis=1)


@given(st.integers(0, 2**32), st.integers(1, 40))
def test_differing_counts_the_signs_that_differ(seed: int, count: int) -> None:
    table = vectors(count, seed)
    found = differing(signs_of(sketches_of(table)), signs_of(sketches_of(table[:1])))
    np.testing.assert_array_equal(found, ((table > 0) != (table[0] > 0)).sum(axis=1))


@given(st.integers(0, 2**32), st.integers(1, 40), st.floats(1e-3, 1e3))
def test_large_components_are_large_whatever_the_length(seed: int, count: int, length: float) -> None:
    table = vectors(count, seed)
    large = table**2 > LARGE * (table**2).mean(axis=1, keepdims=True)
    found = magnitudes(sketches_of(table * np.float32(length)))
    assert (found != large).mean() < 0.01, "but for what lies on the edge"


@given(st.integers(0, 2**32), st.integers(1, 40))
def test_leaning_is_the_product_with_what_sketches_stand_for(seed: int, count: int) -> None:
    table, vector = vectors(count, seed), vectors(1, seed + 1)[0]
    sketched = sketches_of(table)
    stands = np.where(table > 0, 1.0, -1.0) * np.where(magnitudes(sketched), RATIO, 1.0)
    stands /= np.linalg.norm(stands, axis=1, keepdims=True)
    np.testing.assert_allclose(leaning(sketched, vector), stands @ vector, atol=1e-4)


@given(st.lists(st.integers(0, 384), min_size=1, max_size=60), st.integers(1, 70))
def test_fewest_are_the_smallest_with_their_equals(values: list[int], limit: int) -> None:
    places = fewest(np.array(values, np.uint16), limit)
    chosen = [values[place] for place in places]
    assert len(chosen) >= min(limit, len(values))
    assert places.tolist() == sorted(places)
    others = [value for place, value in enumerate(values) if place not in set(places.tolist())]
    assert not others or max(chosen) < min(others)


def test_the_nearest_are_among_those_that_sketches_choose() -> None:
    """Of vectors that vary in few directions, as those of texts do, none of them along an axis."""
    basis = np.linalg.qr(vectors(WIDTH, 1))[0]
    table = (vectors(4_000) * np.arange(1, WIDTH + 1, dtype=np.float32) ** -0.5) @ basis
    table /= np.linalg.norm(table, axis=1, keepdims=True)
    missed, sketched = 0, sketches_of(table)
    for vector in table[:20]:
        near = fewest(differing(signs_of(sketched), signs_of(sketches_of(vector[None]))), 2_000)
        kept = near[np.argsort(-leaning(sketched[near], vector))[:100]]
        missed += len(set(np.argsort(-(table @ vector))[:20].tolist()) - set(kept.tolist()))
    assert missed <= 0.02 * 20 * 20


def entry(number: int) -> bytes:
    return UUID(int=number).bytes + bytes([number]) * (WIDTH // 8) + bytes([number + 1]) * (WIDTH // 8)


def test_a_block_gives_back_what_was_put_in() -> None:
    entries = unpack(entry(7) + entry(3), WIDTH)
    assert [UUID(each) for each in hexadecimal(entries)] == [UUID(int=7), UUID(int=3)]
    assert sketches(entries).tolist() == [[7] * 48 + [8] * 48, [3] * 48 + [4] * 48]
    assert len(unpack(b"", WIDTH)) == 0


def test_a_block_knows_its_bounds_and_loses_who_is_gone() -> None:
    block = entry(7) + entry(3) + entry(5)
    assert bounds(block, WIDTH) == (UUID(int=3), UUID(int=7))
    assert without(block, {UUID(int=3), UUID(int=9)}, WIDTH) == entry(7) + entry(5)
    assert bounds(without(block, {UUID(int=3), UUID(int=5), UUID(int=7)}, WIDTH), WIDTH) is None
