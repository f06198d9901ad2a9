"""The same questions asked of networkx and scipy."""

import networkx as nx
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array
from scipy.sparse.linalg import cg

from soma.brain.kernels.graph.links import Links

Doubles = NDArray[np.float64]


class Networkx:
    """Links as a graph of networkx, parallel ones as one."""

    def __init__(self, links: Links) -> None:
        self._graph = nx.Graph()
        self._graph.add_nodes_from(range(links.nodes))
        for tail, head, conductance in zip(
            links.tails.tolist(), links.heads.tolist(), links.conductances.tolist(), strict=True
        ):
            before = self._graph.get_edge_data(tail, head, {"weight": 0.0})["weight"]
            self._graph.add_edge(tail, head, weight=before + conductance)
        self._laplacian = csr_array(nx.laplacian_matrix(self._graph, weight="weight"))

    def spread(self, seeds: Doubles, hops: int, fading: float, leak: float) -> Doubles:
        """Activation by walking from node to node."""
        total = seeds.copy()
        wave = {int(node): float(seeds[node]) for node in np.flatnonzero(seeds)}
        for _ in range(hops):
            new: dict[int, float] = {}
            for node, level in wave.items():
                beside = self._graph[node]
                strength = leak + sum(link["weight"] for link in beside.values())
                for other, link in beside.items():
                    new[other] = new.get(other, 0.0) + fading * level * link["weight"] / strength
            wave = new
            for node, level in wave.items():
                total[node] += level
        return total

    def by_inversion(self, source: int, sink: int) -> float:
        """networkx's own: the pseudoinverse of the whole Laplacian."""
        return float(nx.resistance_distance(self._graph, source, sink, weight="weight", invert_weight=False))

    def by_gradients(self, source: int, sink: int) -> float:
        """scipy's conjugate gradients on networkx's Laplacian, with the same preconditioner and tolerance."""
        if source == sink:
            return 0.0
        free = np.arange(self._laplacian.shape[0]) != sink
        grounded = self._laplacian[free][:, free]
        current = (np.arange(self._laplacian.shape[0]) == source)[free].astype(float)
        found, failed = cg(
            grounded, current, rtol=1e-10, maxiter=10_000, M=diags_array(1.0 / grounded.diagonal())
        )
        if failed:
            raise ArithmeticError(f"scipy's cg gave up: {failed}")
        return float(found[int(np.flatnonzero(current)[0])])
