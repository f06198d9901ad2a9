"""From memories that were found to evidence in order: the one place that weighs them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from soma.brain.domain.recall import Evidence
from soma.brain.domain.weights import Weights
from soma.brain.kernels.scoring import Floats, fuse, logistic, recency, selection_probabilities
from soma.fractalmemory.api import MemoryRecord, ScoredRecord

CANDIDATES = 2
"""How many of the nearest memories are weighed for each that is wanted: recency then has a choice, and with
a share of 1/11 seldom finds it further away."""

RECENCY_HALF_LIFE = 30 * 86_400.0
"""Seconds after which a memory's recency is one half: a month."""

CALIBRATION = "logistic-cosine-1"
CONFIDENCE_SLOPE = 16.7
CONFIDENCE_MIDPOINT = 0.561
"""A first cut: the logistic curve through cosine → relevant, fitted on the pairs that MIN_SCORE is measured
on, every question against every fact. Expected calibration error over what is recalled, in five-fold
cross-validation by question: .041. It knows MiniLM, English and a memory of some hundred facts; feedback
refits it once there is some."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranking:
    """How to weigh: with which weights, seen from when, how many to keep, from which cosine on."""

    weights: Weights
    at: datetime
    top_k: int
    min_score: float

    @property
    def candidates(self) -> int:
        """How many of the nearest memories to ask the store for."""
        return CANDIDATES * self.top_k

    def rank(self, found: Sequence[ScoredRecord]) -> tuple[Evidence, ...]:
        """Evidence from `found`, best first, at most `top_k`.

        score = (α·dense + γ·recency)/(α + γ), each feature in [0, 1]; graph and lexical features have no
        source yet, and a missing feature takes its weight with it. Equal scores keep the order of their keys.
        """
        near = [scored for scored in found if scored.similarity >= self.min_score]
        if not near:
            return ()
        features = self._features(near)
        confidences = logistic(features[:, 0], CONFIDENCE_SLOPE, CONFIDENCE_MIDPOINT)
        scores = fuse(features, np.array([self.weights.alpha, self.weights.gamma]))
        order = sorted(range(len(near)), key=lambda i: (-scores[i], near[i].record.key))[: self.top_k]
        chances = selection_probabilities(scores[order], self.weights.tau)
        return tuple(
            _evidence(near[i].record, features[i], scores[i], chance, confidences[i])
            for i, chance in zip(order, chances, strict=True)
        )

    def _features(self, found: Sequence[ScoredRecord]) -> Floats:
        dense = np.clip([scored.similarity for scored in found], 0.0, 1.0)
        ages = np.array([(self.at - scored.record.occurred_at).total_seconds() for scored in found])
        return np.column_stack([dense, recency(ages, RECENCY_HALF_LIFE)])


def _evidence(
    record: MemoryRecord, features: Floats, score: float, probability: float, confidence: float
) -> Evidence:
    dense, recent = (float(feature) for feature in features)
    return Evidence(
        record_id=record.id,
        content=record.content,
        role=record.role,
        speaker=record.speaker,
        score=float(score),
        probability=float(probability),
        features={"dense": dense, "recency": recent},
        confidence=float(confidence),
        calibration=CALIBRATION,
        provenance=record.provenance,
        occurred_at=record.occurred_at,
    )
