"""soma.brain.kernels.graph.links"""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soma.brain.kernels.graph.links import Doubles, Links, components, degrees, divergence, drops, laplacian
from tests.brain.kernels.graph.networks import incidence, laplacian_in_full, network, networks

seeds = st.integers(0, 2**32)


def levels(count: int, seed: int) -> Doubles:
    return np.random.default_rng(seed).normal(size=count)


@settings(deadline=None)
@given(networks(), seeds)
@pytest.mark.req("MEM-004")
def test_the_operators_are_those_of_the_matrices_in_full(links: Links, seed: int) -> None:
    potentials, flows = levels(links.nodes, seed), levels(len(links.tails), seed)
    np.testing.assert_allclose(drops(links, potentials), incidence(links).T @ potentials, atol=1e-9)
    np.testing.assert_allclose(divergence(links, flows), incidence(links) @ flows, atol=1e-9)
    np.testing.assert_allclose(laplacian(links, potentials), laplacian_in_full(links) @ potentials, atol=1e-9)
    np.testing.assert_allclose(degrees(links), np.diag(laplacian_in_full(links)), atol=1e-9)


@settings(deadline=None)
@given(networks(), seeds)
@pytest.mark.req("MEM-004")
def test_no_node_makes_or_loses_flow_and_power_is_never_negative(links: Links, seed: int) -> None:
    potentials = levels(links.nodes, seed)
    assert divergence(links, levels(len(links.tails), seed)).sum() == pytest.approx(0.0, abs=1e-9)
    assert potentials @ laplacian(links, potentials) >= -1e-9
    np.testing.assert_allclose(laplacian(links, np.full(links.nodes, 3.0)), 0.0, atol=1e-12)


@settings(deadline=None)
@given(networks())
@pytest.mark.req("MEM-004")
def test_components_are_what_can_be_reached(links: Links) -> None:
    touching = np.abs(laplacian_in_full(links)) + np.eye(links.nodes)
    reached = np.linalg.matrix_power((touching > 0).astype(np.float64), links.nodes) > 0
    np.testing.assert_array_equal(components(links), reached.argmax(axis=1))


@pytest.mark.req("MEM-004")
def test_a_long_chain_is_one_component() -> None:
    order = np.random.default_rng(1).permutation(5000).tolist()
    chain = network(5000, *((tail, head, 1.0) for tail, head in pairwise(order)))
    assert not components(chain).any()
