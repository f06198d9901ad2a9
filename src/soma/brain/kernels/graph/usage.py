"""What one use sends through links."""

import numpy as np
from numpy.typing import NDArray

from soma.brain.kernels.graph.links import Doubles, Indices, Links, edge_flows
from soma.brain.kernels.graph.potential import reachable, solve_grounded


def used_flow(links: Links, entries: NDArray[np.bool_], used: Indices) -> Doubles:
    """|Q| for each link (m,), in [0, 1]: to each node of `used` flows a current of 1, in equal parts from the
    nodes of `entries` (n,) that are connected with it, itself left out; the mean over `used`.

    A node of `used` that nothing is connected with takes in nothing, and counts.
    """
    total = np.zeros(len(links.tails))
    for node in used:
        grounded = np.arange(links.nodes) == node
        sources = entries & ~grounded & reachable(links, grounded)
        if sources.any():
            injected = sources / np.count_nonzero(sources)
            total += np.abs(edge_flows(links, solve_grounded(links, injected, grounded).potentials))
    return np.minimum(total / max(len(used), 1), 1.0)
