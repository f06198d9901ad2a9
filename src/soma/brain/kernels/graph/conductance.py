"""Links that are used get better, others fade: the flow-reinforced growth of slime moulds.

Source: A. Tero, R. Kobayashi, T. Nakagaki, A mathematical model for adaptive transport network in path
finding by true slime mold, J. Theor. Biol. 244, 2007: it ends on the shortest path.
"""

import numpy as np

from soma.brain.kernels.graph.links import Doubles

LEAST, MOST = 1e-3, 10.0


def smoothed(average: Doubles, flows: Doubles, share: float) -> Doubles:
    """The exponential moving average (m,) of |Q|, of which the latest `flows` (m,) make up `share` in [0,
    1]."""
    return (1.0 - share) * average + share * np.abs(flows)


def adapt(conductances: Doubles, usage: Doubles, *, growth: float, fading: float, elapsed: float) -> Doubles:
    """C ← (1 − βΔt)·C + αΔt·usage for each link (m,), within [LEAST, MOST].

    `growth` α and `fading` β are rates for the unit of `elapsed` Δt; βΔt above 1 counts as 1. Under steady
    usage C settles at α/β·usage; without any it fades to LEAST, and can still carry a flow that lets it
    grow again.
    """
    faded = (1.0 - min(1.0, fading * elapsed)) * conductances
    return np.clip(faded + growth * elapsed * usage, LEAST, MOST)
