"""How well memories are connected."""

import math
from collections.abc import Sequence
from itertools import combinations
from uuid import UUID

from soma.base.clock import now
from soma.base.errors import LimitExceeded
from soma.brain.domain.memory_link import GraphMetrics, Resistance
from soma.brain.kernels.graph.resistance import effective_resistance
from soma.brain.services.network import distances, network_of
from soma.fractalmemory.api import MAX_LINKS, FractalMemory, Link, Walk

MAX_COMPARED = 8
"""Memories whose resistances are asked for at once: 28 pairs."""

HOPS, NODES = 24, 2000
"""How far ways between them are looked for."""


def graph_metrics(
    memory: FractalMemory, tenant_id: UUID, namespace: str, ids: Sequence[UUID]
) -> GraphMetrics:
    """See MemoryLinks.metrics. Inside the tenant's transaction."""
    if len(ids) > MAX_COMPARED:
        raise LimitExceeded("ids", maximum=MAX_COMPARED, actual=len(ids), unit="memories")
    moment = now()
    kinds = memory.graph.kinds(tenant_id, namespace, moment)
    walk = Walk(namespace=namespace, seeds=tuple(ids), hops=HOPS, at=moment, fanout=MAX_LINKS, limit=NODES)
    ways = memory.graph.walk(tenant_id, walk) if len(ids) > 1 else []
    away = distances(ids, ways)
    return GraphMetrics(
        memories=memory.count(tenant_id, namespace),
        links=sum(each.links for each in kinds),
        kinds={each.kind: each.links for each in kinds},
        conductance={each.kind: each.conductance for each in kinds},
        resistances=_resistances(ids, list(away), ways),
        complete=len(away) < NODES and max(away.values(), default=0) < HOPS,
    )


def _resistances(ids: Sequence[UUID], nodes: Sequence[UUID], ways: Sequence[Link]) -> tuple[Resistance, ...]:
    network, positions = network_of(nodes, ways), {each: position for position, each in enumerate(nodes)}
    measured = (
        (source, target, effective_resistance(network, positions[source], positions[target]))
        for source, target in combinations(ids, 2)
    )
    return tuple(
        Resistance(source_id=source, target_id=target, resistance=ohms if math.isfinite(ohms) else None)
        for source, target, ohms in measured
    )
