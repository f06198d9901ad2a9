"""What is linked to the best evidence: activation that spreads from it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np

from soma.brain.domain.question import Question
from soma.brain.kernels.graph.activation import FADING, LEAK, spread
from soma.brain.kernels.graph.links import Indices
from soma.brain.kernels.graph.paths import predecessors
from soma.brain.ports import MemorySource
from soma.brain.services.network import ends_of, network_of
from soma.brain.services.ranking import Judged, Ranking, Spread, Weighed
from soma.fractalmemory.api import CandidateQuery, CandidateSet, Lexicon, Link, Walk

SEEDS = 10
"""Of the evidence that words and meaning have found, so much hands on activation."""

FANOUT = 16
REACHED = 64
"""The links that are followed from a memory, best first, and the memories that are known in the end."""

ENOUGH = 0.1
"""What links must bring to a memory that neither words nor meaning reach: over one link from the best
evidence, a conductance of .11."""

EACH_HOP = 0.2
"""The share of that which is enough after each hop more: over links of conductance 1 as far as one likes."""


@dataclass(frozen=True, slots=True)
class Spreading:
    """Along links, up to `hops`, under the conditions of `query`, with conductances as of `at`. Called inside
    the tenant's transaction."""

    memory: MemorySource
    tenant_id: UUID
    query: CandidateQuery
    hops: int
    at: datetime

    def rank(
        self,
        ranking: Ranking,
        question: Question,
        known: CandidateSet,
        lexicon: Lexicon,
        beside: Callable[[CandidateSet], CandidateSet],
    ) -> list[Judged]:
        """What `ranking` makes of what the store has found, of what is linked to the best of it, and of what
        `beside` adds to either."""
        weighed = ranking.weigh(question, beside(known), lexicon)
        seeds = _seeds(weighed)
        links = self._links(tuple(seeds)) if seeds else []
        if not links:
            return ranking.judge(weighed)
        widened = beside(self._widened(known, links, set(weighed.seen.ids)))
        found = {weighed.seen.ids[i] for i in weighed.chosen}
        brought = _spread(widened.ids, links, seeds, self.hops, found)
        return ranking.judge(ranking.weigh(question, widened, lexicon, brought), brought)

    def _links(self, seeds: tuple[UUID, ...]) -> list[Link]:
        walk = Walk(
            namespace=self.query.namespace,
            seeds=seeds,
            hops=self.hops,
            at=self.at,
            fanout=FANOUT,
            limit=REACHED,
            within=self.query.dense,
        )
        return self.memory.graph.walk(self.tenant_id, walk)

    def _widened(self, known: CandidateSet, links: Sequence[Link], seen: set[UUID]) -> CandidateSet:
        """`known`, and whatever `links` lead to that was not `seen`."""
        new = [end for end in ends_of(links) if end not in seen]
        return self.memory.widened(self.tenant_id, self.query, known, new) if new else known


def _seeds(weighed: Weighed) -> Mapping[UUID, float]:
    """The best evidence, and what each hands on: 1 for the best, for the others as much less as they are
    less likely."""
    order = weighed.order(SEEDS)
    if not order:
        return {}
    best = float(weighed.totals[order[0]])
    return {weighed.seen.ids[i]: float(np.exp(weighed.totals[i] - best)) for i in order}


def _spread(
    ids: Sequence[UUID], links: Sequence[Link], seeds: Mapping[UUID, float], hops: int, found: set[UUID]
) -> Spread:
    """What reaches each of `ids`, with the way to each that is not `found`. A full share of the best evidence
    over one link is 1."""
    network = network_of(ids, links)
    levels = np.array([seeds.get(each, 0.0) for each in ids])
    reached = (spread(network, levels, hops, FADING, leak=LEAK) - levels) / FADING
    came = predecessors(network, levels, hops, leak=LEAK)
    paths = {each: _path(ids, came, position) for position, each in enumerate(ids) if came[position] >= 0}
    lengths = np.array([max(1, len(paths.get(each, ())) - 1) for each in ids])
    return Spread(
        activation=np.clip(reached, 0.0, 1.0),
        enough=reached >= ENOUGH * EACH_HOP ** (lengths - 1),
        paths={each: path for each, path in paths.items() if each not in found},
    )


def _path(ids: Sequence[UUID], came: Indices, position: int) -> tuple[UUID, ...]:
    way = [position]
    while came[way[-1]] >= 0:
        way.append(int(came[way[-1]]))
    return tuple(ids[each] for each in reversed(way))
