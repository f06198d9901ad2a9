"""soma.brain.kernels.graph.potential"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soma.brain.kernels.graph.links import Doubles, Links, divergence, drops, edge_flows
from soma.brain.kernels.graph.potential import reachable, solve_grounded
from tests.brain.kernels.graph.networks import incidence, laplacian_in_full, network, networks

seeds = st.integers(0, 2**32)


def null_space(matrix: Doubles) -> Doubles:
    """Columns that `matrix` (n, m) takes to 0: (m, k)."""
    _, squares, directions = np.linalg.svd(matrix)
    return directions[np.count_nonzero(squares > 1e-9) :].T


@settings(deadline=None)
@given(networks(connected=True), seeds, st.integers(1, 3))
@pytest.mark.req("MEM-004")
def test_potentials_are_those_of_the_system_in_full(links: Links, seed: int, grounds: int) -> None:
    random = np.random.default_rng(seed)
    injected = random.normal(size=links.nodes)
    grounded = np.zeros(links.nodes, bool)
    grounded[random.integers(0, links.nodes, grounds)] = True
    found = solve_grounded(links, injected, grounded)
    free = np.flatnonzero(~grounded)
    exact = np.linalg.solve(laplacian_in_full(links)[np.ix_(free, free)], injected[free])
    np.testing.assert_allclose(found.potentials[free], exact, rtol=1e-6, atol=1e-7)
    assert not found.potentials[grounded].any()
    assert found.residual <= 1e-10


@settings(deadline=None)
@given(networks(), seeds)
@pytest.mark.req("MEM-004")
def test_kirchhoff_holds_at_every_node_and_around_every_loop(links: Links, seed: int) -> None:
    injected = np.random.default_rng(seed).normal(size=links.nodes)
    grounded = np.arange(links.nodes) == 0
    potentials = solve_grounded(links, injected, grounded).potentials
    flows, drained = edge_flows(links, potentials), reachable(links, grounded)
    free = drained & ~grounded
    np.testing.assert_allclose(divergence(links, flows)[free], injected[free], atol=1e-7)
    assert divergence(links, flows)[0] == pytest.approx(-injected[free].sum(), abs=1e-7)
    assert not flows[~drained[links.tails]].any()
    loops = null_space(incidence(links))  # the flows that only go around
    np.testing.assert_allclose(drops(links, potentials) @ loops, 0.0, atol=1e-7)


@settings(deadline=None)
@given(networks(connected=True), seeds)
@pytest.mark.req("MEM-004")
def test_the_power_that_goes_in_is_what_the_links_spend(links: Links, seed: int) -> None:
    injected = np.random.default_rng(seed).normal(size=links.nodes)
    grounded = np.arange(links.nodes) == 0
    potentials = solve_grounded(links, injected, grounded).potentials
    spent = edge_flows(links, potentials) @ drops(links, potentials)
    assert spent == pytest.approx(injected[1:] @ potentials[1:], rel=1e-6, abs=1e-9)


@pytest.mark.req("MEM-004")
def test_what_has_no_way_out_goes_nowhere() -> None:
    links = network(4, (0, 1, 1.0), (2, 3, 1.0))
    found = solve_grounded(links, np.array([0.0, 1.0, 1.0, 0.0]), np.array([True, False, False, False]))
    np.testing.assert_allclose(found.potentials, [0, 1, 0, 0])
    assert (found.residual, found.iterations) == (0.0, 1)


@pytest.mark.req("MEM-004")
def test_a_chain_of_a_thousand_weak_and_strong_links_is_solved() -> None:
    random = np.random.default_rng(1)
    resistances = random.uniform(0.1, 1000.0, 1000)
    links = network(1001, *((index, index + 1, 1 / each) for index, each in enumerate(resistances)))
    injected = np.zeros(1001)
    injected[-1] = 1.0
    found = solve_grounded(links, injected, np.arange(1001) == 0)
    np.testing.assert_allclose(found.potentials[1:], np.cumsum(resistances), rtol=1e-6)


@pytest.mark.req("MEM-004")
def test_a_large_graph_takes_a_few_dozen_iterations() -> None:
    random = np.random.default_rng(2)
    nodes, count = 20_000, 200_000
    links = Links(
        nodes=nodes,
        tails=random.integers(0, nodes, count),
        heads=random.integers(0, nodes, count),
        conductances=random.uniform(0.001, 10.0, count),
    )
    injected = np.zeros(nodes)
    injected[5], injected[6] = 1.0, -1.0
    found = solve_grounded(links, injected, np.arange(nodes) == 6)
    assert found.residual <= 1e-10
    assert found.iterations < 100
