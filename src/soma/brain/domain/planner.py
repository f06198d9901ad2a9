"""The planner: candidate actions, and what each is worth by the learned weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from soma.brain.domain.weights import Weights
from soma.brain.kernels.utility import chance_of_any, contributions

DIGITS = 6
"""Decimals that suggestions are told with: they are kept with every iteration, and nothing is computed from
them."""


class Source(StrEnum):
    """Where an estimate comes from: calibrated confidences of evidence, what was measured before,
    or a stated assumption where nothing was measured yet."""

    CALIBRATED = "calibrated"
    MEASURED = "measured"
    PRIOR = "prior"


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """A share in [0, 1]. `samples` is how many measurements stand behind it. `amount` is what it is a share
    of something of, in `unit` ("tokens", "ms"), or None; `parts` are the factors it is the product of."""

    value: float
    source: Source
    samples: int = 0
    amount: float | None = None
    unit: str = ""
    parts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """An action that could be taken next, of which `target` names the tool, if it is one. `confidence` is
    what is expected of it, `cost` the share of the turn's token budget, `latency` of its deadline."""

    action: str
    target: str = ""
    confidence: Estimate
    cost: Estimate
    latency: Estimate


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """One term of a utility: `weight` times the estimate's value, signed, is what it `adds`."""

    weight: float
    estimate: Estimate
    adds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Suggestion:
    """An action with its utility, which is the sum of what its terms add."""

    action: str
    target: str
    utility: float
    confidence: Term
    cost: Term
    latency: Term

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, rounded."""
        terms = {"confidence": self.confidence, "cost": self.cost, "latency": self.latency}
        return {
            "action": self.action,
            "target": self.target,
            "utility": round(self.utility, DIGITS),
            "terms": {name: _term(term) for name, term in terms.items()},
        }


def chance_of_relevance(confidences: Sequence[float]) -> float:
    """How likely at least one of some evidence is relevant, by its calibrated confidences: in [0, 1], 0 for
    none. They are taken as independent, which pieces that say the same are not: it is an upper estimate."""
    return chance_of_any(np.array(confidences, np.float64))


def suggest(candidates: Sequence[Candidate], weights: Weights) -> tuple[Suggestion, ...]:
    """The candidates with their utilities by `weights`, the best first; of equals the first stays first."""
    if not candidates:
        return ()
    estimates = [(each.confidence, each.cost, each.latency) for each in candidates]
    values = np.array([[one.value for one in row] for row in estimates])
    gains = (weights.lambda_, weights.mu, weights.nu)
    added = contributions(values, np.array(gains)).tolist()
    suggestions = [_suggestion(each, gains, row) for each, row in zip(candidates, added, strict=True)]
    return tuple(sorted(suggestions, key=lambda each: -each.utility))


def _suggestion(each: Candidate, gains: Sequence[float], added: Sequence[float]) -> Suggestion:
    estimates = (each.confidence, each.cost, each.latency)
    confidence, cost, latency = (
        Term(weight=gain, estimate=estimate, adds=adds)
        for gain, estimate, adds in zip(gains, estimates, added, strict=True)
    )
    return Suggestion(
        action=each.action,
        target=each.target,
        utility=sum(added),
        confidence=confidence,
        cost=cost,
        latency=latency,
    )


def _term(term: Term) -> dict[str, Any]:
    estimate = term.estimate
    told: dict[str, Any] = {
        "value": round(estimate.value, DIGITS),
        "weight": round(term.weight, DIGITS),
        "adds": round(term.adds, DIGITS),
        "source": estimate.source.value,
        "samples": estimate.samples,
    }
    if estimate.amount is not None:
        told |= {"amount": round(estimate.amount, 3), "unit": estimate.unit}
    if estimate.parts:
        told["parts"] = {name: round(value, DIGITS) for name, value in estimate.parts.items()}
    return told
