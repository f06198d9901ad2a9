"""From candidates to evidence in order: the one place that weighs them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from soma.brain.domain.calibrator import SHIPPED, Calibrator
from soma.brain.domain.capsule_reference import capsule_of
from soma.brain.domain.question import Question
from soma.brain.domain.recall import Evidence
from soma.brain.domain.signal_weights import SIGNALS, SignalWeights
from soma.brain.domain.weights import Weights
from soma.brain.kernels.scoring import Floats
from soma.brain.kernels.temperature import probabilities
from soma.brain.services.choosing import Choose, best
from soma.brain.services.signals import signals
from soma.fractalmemory.api import CandidateSet, Lexicon, MemoryRecord

INITIAL = Weights()
Indexes = NDArray[np.intp]

DIGITS = 4
"""Signals are logged with each turn; more digits than these say nothing."""

PART_DIGITS = 6
"""Of what a signal adds to a score: the parts add up to it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """A candidate that was chosen: what Evidence says of it but its contents."""

    record_id: UUID
    score: float
    probability: float
    confidence: float
    calibration: str
    features: Mapping[str, float]
    explanation: Mapping[str, float] | None
    path: tuple[UUID, ...] = ()

    def evidence(self, tenant_id: UUID, record: MemoryRecord) -> Evidence:
        """The evidence that `record` is."""
        return Evidence(
            record_id=record.id,
            tenant_id=tenant_id,
            content=record.content,
            role=record.role,
            speaker=record.speaker,
            score=self.score,
            probability=self.probability,
            features=self.features,
            explanation=self.explanation,
            confidence=self.confidence,
            calibration=self.calibration,
            provenance={**record.provenance, **self._way()},
            occurred_at=record.occurred_at,
            capsule=capsule_of(record.namespace),
        )

    def _way(self) -> Mapping[str, list[str]]:
        return {"path": [str(each) for each in self.path]} if self.path else {}


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """What links bring to n candidates: `activation` (n,) in [0, 1], which is the signal `graph`, and whether
    it is `enough` (n,) to be evidence for that alone; for those that nothing else has found, the way to each
    from one that was."""

    activation: Floats
    enough: NDArray[np.bool_]
    paths: Mapping[UUID, tuple[UUID, ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Weighed:
    """Candidates with their signals and the sums of these; `chosen` are the positions of those that may be
    evidence."""

    seen: CandidateSet
    values: Mapping[str, Floats]
    weights: SignalWeights
    totals: Floats
    nearest: Floats
    chosen: Indexes

    def order(self, limit: int | None = None) -> list[int]:
        """The positions of the best, best first. Equal sums keep the order of their ids."""
        ids = self.seen.ids
        return sorted(self.chosen.tolist(), key=lambda i: (-self.totals[i], ids[i]))[:limit]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranking:
    """How to weigh: with which weights, seen from when, how many to keep, from which cosine on; and what
    turns cosines into confidences. `learned` are the signals' weights that feedback has taught, `weights`
    what an agent's rewards have."""

    weights: Weights
    learned: SignalWeights = field(default_factory=SignalWeights)
    at: datetime
    top_k: int
    min_score: float
    explain: bool = False
    calibrator: Calibrator = SHIPPED
    choose: Choose = best
    excluded: frozenset[UUID] = frozenset()

    def rank(self, question: Question, seen: CandidateSet, lexicon: Lexicon) -> list[Judged]:
        """The best of `seen`, best first, at most `top_k`, or those that `choose` prefers: of what the
        filters let through and is not `excluded`, with a cosine of `min_score` or more between the question
        and the whole of it or one of its sentences.

        What else was seen is context. Equal scores keep the order of their ids.
        """
        return self.judge(self.weigh(question, seen, lexicon))

    def weigh(
        self, question: Question, seen: CandidateSet, lexicon: Lexicon, spread: Spread | None = None
    ) -> Weighed:
        """All of `seen`. With `spread`, what links bring enough to may be evidence as well."""
        weights = weighed_by(self.weights, self.learned)
        graph = None if spread is None else spread.activation
        values = signals(question, seen, lexicon, moment=self.at, graph=graph)
        nearest = np.maximum(seen.similarity, seen.best_sentence)
        allowed = np.array([each not in self.excluded for each in seen.ids], np.bool_)
        enough = nearest >= self.min_score
        if spread is not None:
            enough |= spread.enough
        return Weighed(
            seen=seen,
            values=values,
            weights=weights,
            totals=total(values, weights),
            nearest=nearest,
            chosen=np.flatnonzero(seen.eligible & allowed & enough),
        )

    def judge(self, weighed: Weighed, spread: Spread | None = None) -> list[Judged]:
        """The best, best first, at most `top_k`, or those that `choose` prefers; `spread` is what it was
        weighed with."""
        if not len(weighed.chosen):
            return []
        paths = {} if spread is None else spread.paths
        seen, values, weights = weighed.seen, weighed.values, weighed.weights
        totals, nearest, ranked = weighed.totals, weighed.nearest, weighed.order()
        places = self.choose([seen.ids[i] for i in ranked], totals[ranked], self.top_k)
        order = [ranked[place] for place in places]
        chances = probabilities(totals[order], self.weights.tau)
        confidences = self.calibrator.confidence(nearest[order])
        scale = sum(abs(weight) for weight in weights.to_dict().values())
        return [
            Judged(
                record_id=seen.ids[i],
                score=float(totals[i] / scale),
                probability=float(chance),
                confidence=float(confidence),
                calibration=self.calibrator.method.value,
                features=_features(seen, values, i),
                explanation=_explanation(values, weights, i, scale) if self.explain else None,
                path=paths.get(seen.ids[i], ()),
            )
            for i, chance, confidence in zip(order, chances, confidences, strict=True)
        ]


def _features(seen: CandidateSet, values: Mapping[str, Floats], i: int) -> Mapping[str, float]:
    return {
        "similarity": round(float(seen.similarity[i]), DIGITS),
        "best_sentence": round(float(seen.best_sentence[i]), DIGITS),
        **{name: round(float(values[name][i]), DIGITS) for name in SIGNALS if values[name][i]},
    }


def _explanation(
    values: Mapping[str, Floats], weights: SignalWeights, i: int, scale: float
) -> Mapping[str, float]:
    """What each signal adds to the score."""
    parts = {name: weight * float(values[name][i]) / scale for name, weight in weights.to_dict().items()}
    return {name: round(part, PART_DIGITS) for name, part in parts.items()}


def weighed_by(rewarded: Weights, learned: SignalWeights) -> SignalWeights:
    """The signals' weights as feedback on evidence has taught them, moved on by what rewards have: α moves
    the dense signal, β the graph's, γ recency's, each as far from its start as it has come."""
    return replace(
        learned,
        dense=learned.dense * rewarded.alpha / INITIAL.alpha,
        graph=learned.graph * rewarded.beta / INITIAL.beta,
        recency=learned.recency * rewarded.gamma / INITIAL.gamma,
    )


def total(values: Mapping[str, Floats], weights: SignalWeights) -> Floats:
    """The weighted sum of the signals, (n,)."""
    named = weights.to_dict()
    summed: Floats = np.sum([named[name] * values[name] for name in SIGNALS], axis=0)
    return summed
