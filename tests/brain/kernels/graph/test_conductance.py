"""soma.brain.kernels.graph.conductance"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soma.brain.kernels.graph.conductance import LEAST, MOST, adapt, smoothed
from soma.brain.kernels.graph.links import Links, edge_flows
from soma.brain.kernels.graph.potential import solve_grounded
from tests.brain.kernels.graph.networks import network

conductances = st.lists(st.floats(LEAST, MOST), min_size=1, max_size=8)
rates = st.floats(0.0, 3.0)


@settings(deadline=None)
@given(conductances, rates, rates, st.floats(0, 100), st.floats(0, 1000))
@pytest.mark.req("MEM-004")
def test_conductances_stay_in_their_bounds(
    values: list[float], growth: float, fading: float, elapsed: float, used: float
) -> None:
    after = adapt(np.array(values), np.full(len(values), used), growth=growth, fading=fading, elapsed=elapsed)
    assert ((after >= LEAST) & (after <= MOST)).all()


@settings(deadline=None, max_examples=30)
@given(st.floats(LEAST, MOST), st.floats(0.01, 1.0), st.floats(0.02, 1.0), st.floats(0.0, 5.0))
@pytest.mark.req("MEM-004")
def test_under_steady_usage_they_settle(start: float, growth: float, fading: float, used: float) -> None:
    value, usage = np.array([start]), np.array([used])
    for _ in range(1500):
        value = adapt(value, usage, growth=growth, fading=fading, elapsed=1.0)
    assert value[0] == pytest.approx(min(MOST, max(LEAST, growth / fading * used)), rel=1e-3)


@pytest.mark.req("MEM-004")
def test_one_step_by_hand_and_a_step_that_is_too_long() -> None:
    used, idle = adapt(np.array([1.0, 1.0]), np.array([2.0, 0.0]), growth=0.5, fading=0.1, elapsed=0.5)
    assert (used, idle) == (pytest.approx(0.95 + 0.5), pytest.approx(0.95))
    [faded] = adapt(np.array([1.0]), np.array([0.0]), growth=0.5, fading=0.1, elapsed=1e6)
    assert faded == LEAST


@settings(deadline=None)
@given(st.floats(0, 5), st.floats(-5, 5), st.floats(0, 1))
@pytest.mark.req("MEM-004")
def test_usage_is_a_moving_average_of_flows_in_either_direction(
    old: float, flow: float, share: float
) -> None:
    [new] = smoothed(np.array([old]), np.array([flow]), share)
    assert min(old, abs(flow)) - 1e-9 <= new <= max(old, abs(flow)) + 1e-9
    assert smoothed(np.array([old]), np.array([-flow]), share)[0] == new


def used_for(links: Links, rounds: int) -> Links:
    """The links after as many flows of 1 from node 0 to node 1."""
    usage = np.zeros(len(links.tails))
    injected, grounded = np.zeros(links.nodes), np.arange(links.nodes) == 1
    injected[0] = 1.0
    for _ in range(rounds):
        flows = edge_flows(links, solve_grounded(links, injected, grounded).potentials)
        usage = smoothed(usage, flows, 0.3)
        links = replace(links, conductances=adapt(links.conductances, usage, growth=1, fading=1, elapsed=0.2))
    return links


@pytest.mark.req("MEM-004")
def test_usage_ends_on_the_shortest_path() -> None:
    links = network(6, (0, 2, 1), (2, 1, 1), (0, 3, 1), (3, 4, 1), (4, 5, 1), (5, 1, 1), (2, 3, 1))
    after = used_for(links, 200).conductances
    assert (after[:2] > 0.9).all()
    assert (after[2:] < 0.02).all()
