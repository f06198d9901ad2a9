"""soma.brain.kernels.graph.usage"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soma.brain.kernels.graph.links import Links, divergence, edge_flows
from soma.brain.kernels.graph.potential import solve_grounded
from soma.brain.kernels.graph.usage import used_flow
from tests.brain.kernels.graph.networks import laplacian_in_full, network, networks

pytestmark = pytest.mark.req("MEM-004")


@settings(deadline=None)
@given(networks(), st.data())
def test_a_link_carries_a_share_of_what_is_used(links: Links, data: st.DataObject) -> None:
    entries = np.array(data.draw(st.lists(st.booleans(), min_size=links.nodes, max_size=links.nodes)))
    used = data.draw(st.lists(st.integers(0, links.nodes - 1), unique=True, max_size=4))
    flows = used_flow(links, entries, np.array(used, np.intp))
    assert flows.shape == links.tails.shape
    assert ((flows >= 0) & (flows <= 1)).all()
    assert not flows[links.conductances == 0].any()
    assert not flows[links.tails == links.heads].any()


@settings(deadline=None)
@given(networks(connected=True), st.data())
def test_it_is_the_flow_of_the_pseudoinverse(links: Links, data: st.DataObject) -> None:
    source, sink = data.draw(
        st.tuples(*[st.integers(0, links.nodes - 1)] * 2).filter(lambda ends: ends[0] != ends[1])
    )
    entries = np.arange(links.nodes) == source
    current = np.zeros(links.nodes)
    current[source], current[sink] = 1.0, -1.0
    potentials = np.linalg.pinv(laplacian_in_full(links)) @ current
    np.testing.assert_allclose(
        used_flow(links, entries, np.array([sink])), np.abs(edge_flows(links, potentials)), atol=1e-6
    )


@settings(deadline=None)
@given(networks(connected=True), st.data())
def test_kirchhoffs_current_law_holds_at_inner_nodes(links: Links, data: st.DataObject) -> None:
    source, sink = data.draw(
        st.tuples(*[st.integers(0, links.nodes - 1)] * 2).filter(lambda ends: ends[0] != ends[1])
    )
    injected = (np.arange(links.nodes) == source).astype(float)
    solved = solve_grounded(links, injected, np.arange(links.nodes) == sink)
    flows = edge_flows(links, solved.potentials)
    inner = (np.arange(links.nodes) != source) & (np.arange(links.nodes) != sink)
    np.testing.assert_allclose(divergence(links, flows)[inner], 0.0, atol=1e-6)
    np.testing.assert_allclose(
        used_flow(links, injected > 0, np.array([sink])), np.minimum(np.abs(flows), 1.0), atol=1e-9
    )


def test_two_used_together_send_everything_to_each_other() -> None:
    links = network(3, (0, 1, 0.2), (1, 2, 5.0))
    both = np.array([True, True, False])
    np.testing.assert_allclose(used_flow(links, both, np.array([0, 1])), [1.0, 0.0], atol=1e-9)


def test_the_way_from_the_entry_is_what_carries() -> None:
    links = network(4, (0, 1, 1.0), (1, 2, 1.0), (1, 3, 1.0))
    entry = np.array([True, False, False, False])
    np.testing.assert_allclose(used_flow(links, entry, np.array([2])), [1.0, 1.0, 0.0], atol=1e-9)


def test_what_nothing_leads_to_takes_in_nothing_and_counts() -> None:
    links = network(4, (0, 1, 1.0), (2, 3, 1.0))
    entry = np.array([True, False, False, False])
    np.testing.assert_allclose(used_flow(links, entry, np.array([1, 2])), [0.5, 0.0])
    assert not used_flow(links, entry, np.zeros(0, np.intp)).any()
