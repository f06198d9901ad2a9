"""Potentials of a network whose grounded nodes are held at 0: Lφ = b by preconditioned conjugate gradients.

Source: M. Hestenes, E. Stiefel, 1952, with Jacobi's preconditioner, the Laplacian's diagonal; P. Doyle, J.
Snell, Random Walks and Electric Networks, 1984.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soma.brain.kernels.graph.links import Doubles, Links, components, degrees, laplacian

TOLERANCE = 1e-10

ROUNDING = 4
"""Exact arithmetic is done after as many iterations as there are nodes; rounding asks for more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Solution:
    """`potentials` (n,); `residual` is |b − Lφ|/|b| over the free nodes, after `iterations`."""

    potentials: Doubles
    residual: float
    iterations: int


def solve_grounded(
    links: Links, injected: Doubles, grounded: NDArray[np.bool_], *, tolerance: float = TOLERANCE
) -> Solution:
    """The potentials for the currents `injected` (n,) into the nodes, those `grounded` (n,) being at 0.

    What goes in at the free nodes leaves at the grounded ones of the same component. A component without
    any has no way out: its nodes stay at 0, and what is injected there goes nowhere (`reachable` tells). An
    iteration costs O(m); a long chain takes about as many as it has nodes, a dense graph a few dozen.
    """
    free = reachable(links, grounded) & ~grounded
    wanted = np.where(free, injected, 0.0)
    return _conjugate_gradients(
        lambda potentials: np.where(free, laplacian(links, potentials), 0.0),
        np.where(free, degrees(links), 1.0),
        wanted,
        tolerance,
    )


def reachable(links: Links, grounded: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which nodes (n,) are connected to a grounded one."""
    labels = components(links)
    drained = np.zeros(links.nodes, bool)
    drained[labels[grounded]] = True
    return drained[labels]


def _conjugate_gradients(
    apply: Callable[[Doubles], Doubles], diagonal: Doubles, wanted: Doubles, tolerance: float
) -> Solution:
    solution, residual = np.zeros_like(wanted), wanted.copy()
    conditioned = residual / diagonal
    direction, slope = conditioned, float(residual @ conditioned)
    scale, iterations = float(np.linalg.norm(wanted)), 0
    while np.linalg.norm(residual) > tolerance * scale and iterations < ROUNDING * len(wanted):
        image = apply(direction)
        step = slope / float(direction @ image)
        solution, residual = solution + step * direction, residual - step * image
        conditioned = residual / diagonal
        slope, before = float(residual @ conditioned), slope
        direction = conditioned + slope / before * direction
        iterations += 1
    relative = float(np.linalg.norm(residual)) / scale if scale > 0 else 0.0
    return Solution(potentials=solution, residual=relative, iterations=iterations)
