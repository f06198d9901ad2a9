"""From candidates to evidence in order: the one place that weighs them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import numpy as np

from soma.brain.domain.calibrator import SHIPPED, Calibrator
from soma.brain.domain.question import Question
from soma.brain.domain.recall import Evidence
from soma.brain.domain.signal_weights import SIGNALS, SignalWeights
from soma.brain.domain.weights import Weights
from soma.brain.kernels.scoring import Floats, selection_probabilities
from soma.brain.services.choosing import Choose, best
from soma.brain.services.signals import signals
from soma.fractalmemory.api import CandidateSet, Lexicon, MemoryRecord

INITIAL = Weights()
DIGITS = 4
"""Signals are logged with each turn; more digits than these say nothing."""


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
            provenance=record.provenance,
            occurred_at=record.occurred_at,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranking:
    """How to weigh: with which weights, seen from when, how many to keep, from which cosine on; and what
    turns cosines into confidences."""

    weights: Weights
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
        nearest = np.maximum(seen.similarity, seen.best_sentence)
        allowed = np.array([each not in self.excluded for each in seen.ids], np.bool_)
        chosen = np.flatnonzero(seen.eligible & allowed & (nearest >= self.min_score))
        if not len(chosen):
            return []
        weights = weighed_by(self.weights)
        values = signals(question, seen, lexicon, moment=self.at, weights=weights)
        totals = total(values, weights)
        ranked = sorted(chosen.tolist(), key=lambda i: (-totals[i], seen.ids[i]))
        places = self.choose([seen.ids[i] for i in ranked], totals[ranked], self.top_k)
        order = [ranked[place] for place in places]
        chances = selection_probabilities(totals[order], self.weights.tau)
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
                explanation=_explanation(values, weights, i) if self.explain else None,
            )
            for i, chance, confidence in zip(order, chances, confidences, strict=True)
        ]


def _features(seen: CandidateSet, values: Mapping[str, Floats], i: int) -> Mapping[str, float]:
    return {
        "similarity": round(float(seen.similarity[i]), DIGITS),
        "best_sentence": round(float(seen.best_sentence[i]), DIGITS),
        **{name: round(float(values[name][i]), DIGITS) for name in SIGNALS if values[name][i]},
    }


def _explanation(values: Mapping[str, Floats], weights: SignalWeights, i: int) -> Mapping[str, float]:
    return {
        name: round(weight * float(values[name][i]), DIGITS) for name, weight in weights.to_dict().items()
    }


def weighed_by(learned: Weights) -> SignalWeights:
    """The signals' weights, with those that an agent learns as far from their defaults as it has come: α
    moves the dense signal, β the graph's, γ recency's."""
    default = SignalWeights()
    return replace(
        default,
        dense=default.dense * learned.alpha / INITIAL.alpha,
        graph=default.graph * learned.beta / INITIAL.beta,
        recency=default.recency * learned.gamma / INITIAL.gamma,
    )


def total(values: Mapping[str, Floats], weights: SignalWeights) -> Floats:
    """The weighted sum of the signals, (n,)."""
    named = weights.to_dict()
    summed: Floats = np.sum([named[name] * values[name] for name in SIGNALS], axis=0)
    return summed
