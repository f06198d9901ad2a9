"""What comes to mind next to what is in mind: activation that spreads along links.

Source: J. R. Anderson, A Spreading Activation Theory of Memory, 1983.
"""

import numpy as np

from soma.brain.kernels.graph.links import Doubles, Links, degrees, gathered

FADING = 0.5
"""The share of its activation that a node hands on at each hop."""


LEAK = 1.0
"""The conductance by which a node of a memory loses what it does not hand on: over a link that is much worse
hardly anything goes, were it the only one."""


def spread(links: Links, seeds: Doubles, hops: int, fading: float = FADING, *, leak: float = 0.0) -> Doubles:
    """The activation (n,) of all nodes after `hops`, from `seeds` (n,) ≥ 0, which are part of it.

    At each hop a node hands on `fading` of what just reached it, divided among its links by their
    conductance: many links do not make a node loud. `leak` ≥ 0 is the conductance of a further link of each
    node, which leads nowhere. Linear in the seeds; in all Σ seeds·Σ_{h ≤ hops}
    fading^h where every node has links and none leaks, and nothing further than `hops` away.
    """
    strengths = degrees(links) + leak
    share = np.divide(fading, strengths, out=np.zeros_like(strengths), where=strengths > 0)
    total, wave = seeds.astype(np.float64), seeds.astype(np.float64)
    for _ in range(hops):
        wave = _neighbours(links, wave * share)
        total = total + wave
    return total


def _neighbours(links: Links, levels: Doubles) -> Doubles:
    """For each node (n,) the sum of its neighbours' levels times conductances; nothing from a node to
    itself."""
    carried = np.where(links.tails == links.heads, 0.0, links.conductances)
    to_heads = gathered(links.heads, carried * levels[links.tails], links.nodes)
    return to_heads + gathered(links.tails, carried * levels[links.heads], links.nodes)
