"""By which way activation first came."""

import numpy as np

from soma.brain.kernels.graph.links import Doubles, Indices, Links, degrees


def predecessors(links: Links, seeds: Doubles, hops: int, *, leak: float = 0.0) -> Indices:
    """For each node (n,) the one that handed it most at the hop that first reached it; −1 for the seeds,
    those of `seeds` (n,) > 0, and for what `hops` hops do not reach.

    Of equals the lower node. Following them ends at a seed, after as many steps as there were hops.
    """
    strengths = degrees(links) + leak
    came, wave = np.full(links.nodes, -1, np.intp), seeds.astype(np.float64)
    reached = wave > 0
    ends = np.concatenate([links.tails, links.heads]), np.concatenate([links.heads, links.tails])
    carried = np.concatenate([links.conductances, links.conductances])
    for _ in range(hops):
        share = np.divide(wave, strengths, out=np.zeros_like(wave), where=strengths > 0)
        handed = carried * share[ends[0]]
        new = (handed > 0) & ~reached[ends[1]]
        order = np.lexsort((-ends[0][new], handed[new]))  # the last assignment to a node stays
        came[ends[1][new][order]] = ends[0][new][order]
        wave = np.zeros(links.nodes)
        np.add.at(wave, ends[1][new], handed[new])
        reached |= wave > 0
    return came
