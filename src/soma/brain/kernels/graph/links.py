"""Undirected links as arrays: link e joins tails[e] and heads[e] with conductances[e] ≥ 0.

The incidence matrix B has +1 at a link's tail and −1 at its head; it is applied, never built. A flow is
positive from tail to head. Links may be parallel; one from a node to itself carries nothing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True, slots=True)
class Links:
    """`nodes` is how many there are; `tails`, `heads` and `conductances` have one entry a link (m,)."""

    nodes: int
    tails: Indices
    heads: Indices
    conductances: Doubles


def gathered(ends: Indices, values: Doubles, nodes: int) -> Doubles:
    """For each node (n,) the sum of the `values` (m,) of the links that `ends` (m,) assigns to it."""
    return np.bincount(ends, values, nodes).astype(np.float64, copy=False)


def drops(links: Links, potentials: Doubles) -> Doubles:
    """Bᵀφ: for each link (m,) the potential of its tail less that of its head. `potentials` (n,)."""
    return potentials[links.tails] - potentials[links.heads]


def divergence(links: Links, flows: Doubles) -> Doubles:
    """BQ: what each node (n,) sends out more than it takes in. `flows` (m,); the sum is 0."""
    return gathered(links.tails, flows, links.nodes) - gathered(links.heads, flows, links.nodes)


def edge_flows(links: Links, potentials: Doubles) -> Doubles:
    """Q = C·Bᵀφ (m,)."""
    return links.conductances * drops(links, potentials)


def laplacian(links: Links, potentials: Doubles) -> Doubles:
    """Lφ = B·C·Bᵀφ (n,): symmetric, positive semidefinite, 0 for a constant φ."""
    return divergence(links, edge_flows(links, potentials))


def degrees(links: Links) -> Doubles:
    """The Laplacian's diagonal (n,): the conductance of each node's links, without those to itself."""
    between = np.where(links.tails == links.heads, 0.0, links.conductances)
    return gathered(links.tails, between, links.nodes) + gathered(links.heads, between, links.nodes)


def components(links: Links) -> Indices:
    """For each node (n,) the smallest node that links of positive conductance connect it with."""
    carrying = links.conductances > 0
    tails, heads = links.tails[carrying], links.heads[carrying]
    labels = np.arange(links.nodes)
    while True:
        nearest = labels.copy()
        np.minimum.at(nearest, labels[tails], labels[heads])
        np.minimum.at(nearest, labels[heads], labels[tails])
        nearest = nearest[nearest]
        if np.array_equal(nearest, labels):
            return labels
        labels = nearest
