"""soma.brain.kernels.graph.resistance"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soma.brain.kernels.graph.links import Links, components
from soma.brain.kernels.graph.resistance import effective_resistance
from tests.brain.kernels.graph.networks import laplacian_in_full, network, networks


@settings(deadline=None)
@given(networks(), st.data())
@pytest.mark.req("MEM-004")
def test_it_is_that_of_the_pseudoinverse(links: Links, data: st.DataObject) -> None:
    source, sink = data.draw(st.tuples(*[st.integers(0, links.nodes - 1)] * 2))
    found = effective_resistance(links, source, sink)
    if components(links)[source] != components(links)[sink]:
        assert found == float("inf")
    else:
        inverse = np.linalg.pinv(laplacian_in_full(links))
        exact = inverse[source, source] + inverse[sink, sink] - 2 * inverse[source, sink]
        assert found == pytest.approx(exact, rel=1e-6, abs=1e-9)


@settings(deadline=None)
@given(networks(connected=True), st.data())
@pytest.mark.req("MEM-004")
def test_it_is_a_metric_that_no_better_link_makes_worse(links: Links, data: st.DataObject) -> None:
    a, b, c = data.draw(st.tuples(*[st.integers(0, links.nodes - 1)] * 3))
    between = effective_resistance(links, a, b)
    assert between == pytest.approx(effective_resistance(links, b, a), rel=1e-6, abs=1e-9)
    assert between <= effective_resistance(links, a, c) + effective_resistance(links, c, b) + 1e-7
    better = replace(links, conductances=links.conductances + 0.5)
    assert effective_resistance(better, a, b) <= between + 1e-7


@pytest.mark.req("MEM-004")
def test_in_series_resistances_add_up_and_in_parallel_conductances() -> None:
    assert effective_resistance(network(3, (0, 1, 1 / 2), (1, 2, 1 / 3)), 0, 2) == pytest.approx(5)
    assert effective_resistance(network(2, (0, 1, 2.0), (1, 0, 3.0)), 0, 1) == pytest.approx(1 / 5)
    assert effective_resistance(network(2, (0, 1, 2.0)), 1, 1) == 0
