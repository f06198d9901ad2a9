"""soma.brain.kernels.graph.activation"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soma.brain.kernels.graph.activation import spread
from soma.brain.kernels.graph.links import Links
from tests.brain.kernels.graph.networks import laplacian_in_full, network, networks

seeds = st.integers(0, 2**32)
hops = st.integers(0, 5)


@settings(deadline=None)
@given(networks(), seeds, hops, st.floats(0.1, 1.0))
@pytest.mark.req("MEM-004")
def test_it_is_the_sum_of_the_powers_of_the_walk(links: Links, seed: int, hops: int, fading: float) -> None:
    start = np.random.default_rng(seed).uniform(0, 1, links.nodes)
    full = laplacian_in_full(links)
    weights = np.diag(np.diag(full)) - full
    totals = weights.sum(axis=0)
    walk = fading * weights / np.where(totals > 0, totals, 1.0)
    exact = sum(np.linalg.matrix_power(walk, hop) @ start for hop in range(hops + 1))
    np.testing.assert_allclose(spread(links, start, hops, fading), exact, atol=1e-9)


@settings(deadline=None)
@given(networks(connected=True), st.data(), hops)
@pytest.mark.req("MEM-004")
def test_nothing_is_lost_but_what_fades(links: Links, data: st.DataObject, hops: int) -> None:
    start = np.zeros(links.nodes)
    start[data.draw(st.integers(0, links.nodes - 1))] = 2.0
    assert spread(links, start, hops, 0.5).sum() == pytest.approx(2.0 * (2.0 - 0.5**hops))


@pytest.mark.req("MEM-004")
def test_it_reaches_as_far_as_the_hops_go() -> None:
    chain = network(5, *((index, index + 1, 1.0) for index in range(4)))
    start = np.array([1.0, 0, 0, 0, 0])
    assert [np.count_nonzero(spread(chain, start, hops)) for hops in range(5)] == [1, 2, 3, 4, 5]


@pytest.mark.req("MEM-004")
def test_the_better_link_gets_more_and_many_links_do_not_make_a_node_loud() -> None:
    star = network(4, (0, 1, 3.0), (0, 2, 1.0))
    np.testing.assert_allclose(spread(star, np.array([1.0, 0, 0, 0]), 1, 0.5), [1, 0.375, 0.125, 0])
    hub = network(101, *((0, leaf, 1.0) for leaf in range(1, 101)))
    heard = spread(hub, np.eye(101)[0], 1, 0.5)
    assert heard[1:].sum() == pytest.approx(0.5)


@pytest.mark.req("MEM-004")
def test_the_seeds_stay_untouched() -> None:
    start = np.array([1.0, 0.0])
    spread(network(2, (0, 1, 1.0)), start, 3)
    np.testing.assert_array_equal(start, [1.0, 0.0])


@settings(deadline=None)
@given(networks(), seeds, hops, st.sampled_from([0.0, 0.1, 1.0]), st.sampled_from([0.0, 0.5, 5.0]))
@pytest.mark.req("MEM-004")
def test_what_leaks_is_lost(links: Links, seed: int, hops: int, leak: float, more: float) -> None:
    start = np.random.default_rng(seed).uniform(0, 1, links.nodes)
    tight, loose = spread(links, start, hops, leak=leak), spread(links, start, hops, leak=leak + more)
    assert (loose <= tight + 1e-12).all()
    assert loose.sum() <= start.sum() * (2.0 - 0.5**hops) + 1e-9


@pytest.mark.req("MEM-004")
def test_over_one_bad_link_hardly_anything_goes() -> None:
    for conductance in (0.001, 1.0, 10.0):
        pair = network(2, (0, 1, conductance))
        [_, handed] = spread(pair, np.array([1.0, 0.0]), 1, 0.5, leak=1.0)
        assert handed == pytest.approx(0.5 * conductance / (conductance + 1.0))
