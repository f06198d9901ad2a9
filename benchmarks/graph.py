"""Memory's graph beside networkx: `python -m benchmarks --only graph`.

Activation that spreads over a few hops, and effective resistance. networkx has no call for the first, so its
graph is walked as its users walk one. Its own `resistance_distance` inverts a full matrix, which only the
small graph allows: on the large one scipy solves its Laplacian.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from benchmarks.lines import emit, tell
from benchmarks.machine import describe
from soma.brain.kernels.graph.activation import FADING, LEAK, spread
from soma.brain.kernels.graph.links import Links
from soma.brain.kernels.graph.resistance import effective_resistance

SMALL, LARGE = (1_000, 5_000), (10_000, 50_000)
"""Nodes and links."""

SEEDS = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Effort:
    """Rounds, of which the median counts, and pairs of memories."""

    rounds: int
    pairs: int


FULL = Effort(rounds=15, pairs=5)
QUICK = Effort(rounds=3, pairs=1)


def graph(effort: Effort) -> None:
    """Measure both where networkx and scipy are installed, else ours alone, and how far they agree."""
    describe()
    try:
        from benchmarks.graph_oracle import Networkx  # noqa: PLC0415 - only `make bench` installs it
    except ImportError as missing:
        tell(f"without networkx: {missing}")
        oracle = None
    else:
        oracle = Networkx
    for nodes, count in (SMALL, LARGE):
        links = _network(nodes, count)
        other = None if oracle is None else oracle(links)
        for hops in (1, 2, 3):
            _spreading(links, other, hops, effort)
        _resistance(links, other, effort)


def _network(nodes: int, count: int) -> Links:
    """Random links with conductances as use leaves them, on a ring that connects all."""
    random = np.random.default_rng(1)
    ring = np.arange(nodes)
    tails, heads = random.integers(0, nodes, (2, count - nodes))
    return Links(
        nodes=nodes,
        tails=np.concatenate([ring, tails]),
        heads=np.concatenate([(ring + 1) % nodes, np.where(heads == tails, (heads + 1) % nodes, heads)]),
        conductances=random.uniform(0.001, 4.0, count),
    )


def _spreading(links: Links, oracle: Any, hops: int, effort: Effort) -> None:
    tell(f"spreading {hops} hops among {links.nodes}")
    start = np.zeros(links.nodes)
    start[np.random.default_rng(2).choice(links.nodes, SEEDS, replace=False)] = 1.0
    calls: dict[str, Callable[[], Any]] = {"somastack": lambda: spread(links, start, hops, FADING, leak=LEAK)}
    if oracle is not None:
        calls["networkx, walked"] = lambda: oracle.spread(start, hops, FADING, LEAK)
    _report(f"spread, {hops} hops from {SEEDS} memories", links, calls, effort.rounds)


def _resistance(links: Links, oracle: Any, effort: Effort) -> None:
    tell(f"resistances among {links.nodes}")
    pairs = np.random.default_rng(3).integers(0, links.nodes, (effort.pairs, 2)).tolist()
    calls: dict[str, Callable[[], Any]] = {
        "somastack": lambda: np.array([effective_resistance(links, *pair) for pair in pairs])
    }
    if oracle is not None:
        calls["networkx, scipy cg"] = lambda: np.array([oracle.by_gradients(*pair) for pair in pairs])
        if links.nodes <= SMALL[0]:
            calls["networkx"] = lambda: np.array([oracle.by_inversion(*pair) for pair in pairs])
    _report(f"effective resistance of {effort.pairs} pairs", links, calls, max(3, effort.rounds // 5))


def _report(operation: str, links: Links, calls: dict[str, Callable[[], Any]], rounds: int) -> None:
    """Systems take turns, so that the machine's noise hits all alike."""
    given = {name: call() for name, call in calls.items()}
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            clock, processor = time.perf_counter(), time.process_time()
            call()
            spent[name].append((time.perf_counter() - clock, time.process_time() - processor))
    ours = given["somastack"]
    for name, taken in spent.items():
        emit(
            "graph",
            operation=operation,
            system=name,
            nodes=links.nodes,
            links=len(links.tails),
            rounds=rounds,
            ms=round(1e3 * median(clock for clock, _ in taken), 3),
            cpu_ms=round(1e3 * median(processor for _, processor in taken), 3),
            differs_from_ours=float(np.abs(given[name] - ours).max()),
        )
