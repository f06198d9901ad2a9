"""How well two nodes are connected by all paths between them together."""

import numpy as np

from soma.brain.kernels.graph.links import Links, components
from soma.brain.kernels.graph.potential import solve_grounded


def effective_resistance(links: Links, source: int, sink: int) -> float:
    """The potential that drives a current of 1 from `source` to `sink`: 0 for one node, ∞ where no path is.

    A metric: series links add resistances, parallel ones conductances, and no conductance that grows makes it
    larger (Rayleigh).
    """
    labels = components(links)
    if labels[source] != labels[sink]:
        return float("inf")
    injected, grounded = np.zeros(links.nodes), np.zeros(links.nodes, bool)
    injected[source], grounded[sink] = 1.0, True
    return float(solve_grounded(links, injected, grounded).potentials[source])
