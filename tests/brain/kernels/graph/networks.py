"""Networks for the tests, and what plain linear algebra says of them."""

import numpy as np
from hypothesis import strategies as st

from soma.brain.kernels.graph.links import Doubles, Links


def network(nodes: int, *links: tuple[int, int, float]) -> Links:
    """Links given as (tail, head, conductance)."""
    tails, heads, conductances = zip(*links, strict=True) if links else ((), (), ())
    return Links(
        nodes=nodes,
        tails=np.array(tails, np.intp),
        heads=np.array(heads, np.intp),
        conductances=np.array(conductances, np.float64),
    )


@st.composite
def networks(draw: st.DrawFn, *, connected: bool = False) -> Links:
    """Some nodes and links: parallel ones, loops, isolated nodes and dead links among them."""
    nodes = draw(st.integers(2, 12))
    node = st.integers(0, nodes - 1)
    links = draw(st.lists(st.tuples(node, node, st.sampled_from([0.0, 0.01, 0.5, 1.0, 10.0])), max_size=30))
    chain = [(index, index + 1, draw(st.floats(0.1, 5.0))) for index in range(nodes - 1)] if connected else []
    return network(nodes, *links, *chain)


def incidence(links: Links) -> Doubles:
    """B in full (n, m)."""
    full = np.zeros((links.nodes, len(links.tails)))
    for link, (tail, head) in enumerate(zip(links.tails, links.heads, strict=True)):
        full[tail, link] += 1
        full[head, link] -= 1
    return full


def laplacian_in_full(links: Links) -> Doubles:
    """B·C·Bᵀ (n, n)."""
    full = incidence(links)
    product: Doubles = full @ np.diag(links.conductances) @ full.T
    return product
