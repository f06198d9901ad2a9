"""Links as the kernels take them."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import numpy as np

from soma.brain.kernels.graph.links import Links
from soma.fractalmemory.api import Link


def network_of(ids: Sequence[UUID], links: Sequence[Link]) -> Links:
    """The links as arrays, in their order, with the positions of their ends among `ids` as nodes. Those that
    end elsewhere are left out."""
    positions = {each: position for position, each in enumerate(ids)}
    inside = [link for link in links if link.key.source_id in positions and link.key.target_id in positions]
    return Links(
        nodes=len(ids),
        tails=np.array([positions[link.key.source_id] for link in inside], np.intp),
        heads=np.array([positions[link.key.target_id] for link in inside], np.intp),
        conductances=np.array([link.conductance for link in inside], np.float64),
    )


def ends_of(links: Sequence[Link]) -> list[UUID]:
    """The memories that the links join, in order."""
    return sorted({end for link in links for end in (link.key.source_id, link.key.target_id)})


def distances(seeds: Sequence[UUID], links: Sequence[Link]) -> Mapping[UUID, int]:
    """By how few links each memory that they lead to is away from the nearest of `seeds`."""
    beside: dict[UUID, list[UUID]] = {}
    for link in links:
        beside.setdefault(link.key.source_id, []).append(link.key.target_id)
        beside.setdefault(link.key.target_id, []).append(link.key.source_id)
    known, frontier, hop = dict.fromkeys(seeds, 0), list(seeds), 0
    while frontier:
        hop += 1
        new = {other for each in frontier for other in beside.get(each, ()) if other not in known}
        known |= dict.fromkeys(new, hop)
        frontier = list(new)
    return known
