"""Conductance by usage: links over which one came to what was used get better.

Source: the flow-reinforced growth of kernels.graph.conductance.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from uuid import UUID

import numpy as np
from django.db import InterfaceError, OperationalError

from soma.base.database import tenant_transaction
from soma.base.errors import Unavailable
from soma.brain.domain.usage import MAX_USED, Usage, UsageTaken
from soma.brain.errors import LinksUnavailable
from soma.brain.kernels.graph.conductance import adapt, smoothed
from soma.brain.kernels.graph.usage import used_flow
from soma.brain.services.network import ends_of, network_of
from soma.fractalmemory.api import (
    HALF_LIFE_DAYS,
    USED_TOGETHER,
    FractalMemory,
    Link,
    LinkKey,
    Walk,
)

FADING = math.log(2.0) / HALF_LIFE_DAYS
"""β, a day: what storage fades links by, to the first order."""

GROWTH = 4.0 * FADING
"""α, a day: a link that all of every use flows through settles 4 above its rest, and hands on four fifths of
what reaches it."""

USE_DAYS = 10.0
"""Δt of a use: it counts as so many days of steady flow. Half of the way is made in three uses."""

SHARE = 0.3
"""Of the average flow, what the latest use makes up."""

FIRST = 0.5
"""The conductance of a link when two memories were used together for the first time."""

HOPS, NODES = 2, 128
"""How far around what was recalled flow is looked for, and among how many memories."""

CARRIED = 1e-9


def record_usage(memory: FractalMemory, usage: Usage) -> UsageTaken:
    """See MemoryLinks.record_usage."""
    try:
        with tenant_transaction(usage.tenant_id):
            # From here on nobody else writes links of the tenant: what is read now holds when it is written.
            if not memory.graph.take_in(usage.tenant_id, usage.name, usage.at):
                return UsageTaken(taken=False)
            return _take_in(memory, usage)
    except (Unavailable, OperationalError, InterfaceError) as error:
        raise LinksUnavailable(f"Links could not be written: {error}") from error


def _take_in(memory: FractalMemory, usage: Usage) -> UsageTaken:
    standing = _standing(memory, usage)
    used = [each for each in dict.fromkeys(usage.used) if each in standing][:MAX_USED]
    entries = [each for each in dict.fromkeys((*usage.entries, *used)) if each in standing]
    links = _around(memory, usage, entries)
    made = _lacking(usage, used, links)
    settled = _settled([*links, *made], entries, used)
    memory.graph.link(usage.tenant_id, made, usage.at)
    memory.graph.settle(usage.tenant_id, settled, usage.at)
    carried = sum(link.flow > CARRIED for link in settled)
    return UsageTaken(taken=True, made=len(made), carried=carried)


def _standing(memory: FractalMemory, usage: Usage) -> set[UUID]:
    """Those of the memories that are still there, and of the namespace."""
    records = memory.get(usage.tenant_id, list({*usage.entries, *usage.used}))
    return {record.id for record in records if record.namespace == usage.namespace}


def _around(memory: FractalMemory, usage: Usage, entries: Sequence[UUID]) -> list[Link]:
    walk = Walk(namespace=usage.namespace, seeds=tuple(entries), hops=HOPS, at=usage.at, limit=NODES)
    return memory.graph.walk(usage.tenant_id, walk)


def _lacking(usage: Usage, used: Sequence[UUID], links: Sequence[Link]) -> list[Link]:
    """A link for each two that were used together and have none."""
    linked = {frozenset((link.key.source_id, link.key.target_id)) for link in links}
    return [
        Link(
            key=LinkKey(source_id=min(pair), target_id=max(pair), kind=USED_TOGETHER),
            conductance=FIRST,
            created_at=usage.at,
            rest=0.0,
        )
        for pair in combinations(used, 2)
        if frozenset(pair) not in linked
    ]


def _settled(links: Sequence[Link], entries: Sequence[UUID], used: Sequence[UUID]) -> list[Link]:
    """The links that something flows through, or did lately, as the use leaves them. What nothing flows
    through only fades, by the time that passes."""
    if not links:
        return []
    ends = ends_of(links)
    network = network_of(ends, links)
    positions = {each: position for position, each in enumerate(ends)}
    from_here = np.isin(np.arange(len(ends)), [positions[each] for each in entries if each in positions])
    to_there = np.array([positions[each] for each in used if each in positions], np.intp)
    flows = used_flow(network, from_here, to_there)
    averages = smoothed(np.array([link.flow for link in links]), flows, SHARE)
    rests = np.array([link.resting for link in links])
    grown = adapt(
        network.conductances,
        averages + rests * FADING / GROWTH,
        growth=GROWTH,
        fading=FADING,
        elapsed=USE_DAYS,
    )
    after = np.where(flows > CARRIED, grown, network.conductances)
    return [
        replace(link, conductance=float(conductance), flow=float(average))
        for link, conductance, average in zip(links, after, averages, strict=True)
        if average > CARRIED
    ]
