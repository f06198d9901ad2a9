"""soma.brain.kernels.graph.paths"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soma.brain.kernels.graph.activation import spread
from soma.brain.kernels.graph.links import Links
from soma.brain.kernels.graph.paths import predecessors
from tests.brain.kernels.graph.networks import network, networks

pytestmark = pytest.mark.req("MEM-004")


@settings(deadline=None)
@given(networks(), st.integers(0, 2**32), st.integers(0, 4), st.sampled_from([0.0, 1.0]))
def test_every_way_is_one_of_links_from_a_seed_and_as_short_as_can_be(
    links: Links, seed: int, hops: int, leak: float
) -> None:
    start = np.where(np.random.default_rng(seed).uniform(size=links.nodes) < 0.3, 1.0, 0.0)
    came = predecessors(links, start, hops, leak=leak)
    linked = {
        frozenset(pair)
        for *pair, conductance in zip(
            links.tails.tolist(), links.heads.tolist(), links.conductances.tolist(), strict=True
        )
        if conductance > 0
    }
    for node in range(links.nodes):
        way = [node]
        while came[way[-1]] >= 0:
            assert frozenset((int(came[way[-1]]), way[-1])) in linked
            way.append(int(came[way[-1]]))
        reached = start[way[-1]] > 0
        assert reached == bool(spread(links, start, hops, leak=leak)[node] > 0)
        if reached and len(way) > 1:
            assert not spread(links, start, len(way) - 2, leak=leak)[node] > 0


def test_it_is_the_one_that_hands_on_most() -> None:
    links = network(4, (0, 2, 1.0), (1, 2, 3.0), (2, 3, 1.0))
    assert predecessors(links, np.array([1.0, 1.0, 0.0, 0.0]), 3, leak=1.0).tolist() == [-1, -1, 1, 2]
    assert predecessors(links, np.array([1.0, 0.1, 0.0, 0.0]), 3, leak=1.0).tolist() == [-1, -1, 0, 2]


def test_of_equals_it_is_the_lower() -> None:
    links = network(3, (1, 2, 1.0), (2, 0, 1.0))
    assert predecessors(links, np.array([1.0, 1.0, 0.0]), 1).tolist() == [-1, -1, 0]
