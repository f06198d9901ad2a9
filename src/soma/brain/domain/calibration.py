"""What marks of evidence say of confidence: which calibrator to use, and how far it can be trusted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from soma.base.errors import InvalidInput
from soma.brain.domain.calibrator import (
    SHIPPED,
    Calibrator,
    Doubles,
    Method,
    by_rising_curve,
    by_temperature,
)
from soma.brain.kernels.calibration.choice import brier, clearly_lower, held_out
from soma.brain.kernels.calibration.reliability import expected_calibration_error, reliability

FOLDS = 5
TEMPERATURE_MARKS, TEMPERATURE_EACH = 30, 5
ISOTONIC_MARKS, ISOTONIC_EACH = 200, 20
"""From so many marks on, with so many relevant and so many not, a way of fitting is tried."""


COSINES = {"similarity": np.nan, "best_sentence": 0.0}


@dataclass(frozen=True, kw_only=True, slots=True)
class EvidenceMark:
    """Whether a memory that was recalled was relevant. `features` are its Evidence's.

    Raises InvalidInput without a finite `similarity` among the features."""

    record_id: UUID
    features: Mapping[str, float]
    relevant: bool

    def __post_init__(self) -> None:
        cosines = (self.features.get(name, default) for name, default in COSINES.items())
        if not all(np.isfinite(cosine) for cosine in cosines):
            raise InvalidInput("A mark needs the similarity among the features of its evidence")

    @property
    def cosine(self) -> float:
        """What confidence is told from: the larger of the memory's and its best sentence's, in [0, 1]."""
        return min(1.0, max(0.0, *(self.features.get(name, 0.0) for name in COSINES)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Marks:
    """n marks as arrays: `cosines`, `outcomes` of 0 and 1, and the `folds` that they are held out by."""

    cosines: Doubles
    outcomes: Doubles
    folds: NDArray[np.intp]

    @classmethod
    def of(cls, marks: Sequence[tuple[UUID, float, bool]]) -> Self:
        """From (turn, cosine, relevant). What one turn recalled is alike, and held out together."""
        return cls(
            cosines=np.array([cosine for _, cosine, _ in marks], np.float64),
            outcomes=np.array([relevant for _, _, relevant in marks], np.float64),
            folds=np.array([turn.int % FOLDS for turn, _, _ in marks], np.intp),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ReliabilityBin:
    """Of `count` confidences within a tenth of [0, 1]: their mean, and the share that was relevant."""

    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Calibration:
    """How confidence stands in a namespace: the `method` in use, fitted on `marks`, of which `relevant` were;
    `pending` came later. `ece_before` is the expected calibration error of the shipped curve over them,
    `ece_after` that of the method in use, each mark judged by a fit that has not seen it; `bins` likewise.
    """

    method: str = Method.LOGISTIC.value
    marks: int = 0
    relevant: int = 0
    pending: int = 0
    ece_before: float = 0.0
    ece_after: float = 0.0
    bins: tuple[ReliabilityBin, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, without `pending`."""
        return {
            "method": self.method,
            "marks": self.marks,
            "relevant": self.relevant,
            "ece_before": self.ece_before,
            "ece_after": self.ece_after,
            "bins": [[each.count, each.confidence, each.accuracy] for each in self.bins],
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any], *, pending: int) -> Self:
        """The inverse of to_dict."""
        bins = tuple(
            ReliabilityBin(count=count, confidence=confidence, accuracy=accuracy)
            for count, confidence, accuracy in value["bins"]
        )
        return cls(**{**value, "bins": bins}, pending=pending)


def calibrated(marks: Marks) -> tuple[Calibrator, Calibration]:
    """The calibrator for `marks`, and what is to be told of it. The same marks, in any order, give the same.

    From the shipped curve it goes on to the temperature, and from there to the rising curve, where there are
    marks enough for it, its Brier score out of sample is clearly lower, and its calibration error out of
    sample does not exceed the shipped curve's.
    """
    shipped = SHIPPED.confidence(marks.cosines)
    chosen, said = SHIPPED, shipped
    for fit in _ways(marks):
        confidences = held_out(
            lambda cosines, outcomes, fit=fit: fit(cosines, outcomes).confidence,  # type: ignore[misc]
            marks.cosines,
            marks.outcomes,
            marks.folds,
        )
        better = clearly_lower(brier(confidences, marks.outcomes), brier(said, marks.outcomes))
        if better and _error(confidences, marks) <= _error(shipped, marks):
            chosen, said = fit(marks.cosines, marks.outcomes), confidences
    return chosen, _report(chosen, marks, shipped, said)


def _ways(marks: Marks) -> list[Callable[[Doubles, Doubles], Calibrator]]:
    count, rarer = len(marks.outcomes), min(marks.outcomes.sum(), (1.0 - marks.outcomes).sum())
    if len(np.unique(marks.folds)) < 2:
        return []
    ways = list[Callable[[Doubles, Doubles], Calibrator]]()
    if count >= TEMPERATURE_MARKS and rarer >= TEMPERATURE_EACH:
        ways.append(by_temperature)
    if count >= ISOTONIC_MARKS and rarer >= ISOTONIC_EACH:
        ways.append(by_rising_curve)
    return ways


def _report(chosen: Calibrator, marks: Marks, shipped: Doubles, said: Doubles) -> Calibration:
    found = reliability(said, marks.outcomes)
    return Calibration(
        method=chosen.method.value,
        marks=len(marks.outcomes),
        relevant=int(marks.outcomes.sum()),
        ece_before=_error(shipped, marks),
        ece_after=_error(said, marks),
        bins=tuple(
            ReliabilityBin(count=count, confidence=confidence, accuracy=accuracy)
            for count, confidence, accuracy in zip(
                found.counts.tolist(), found.confidence.tolist(), found.accuracy.tolist(), strict=True
            )
        ),
    )


def _error(confidences: Doubles, marks: Marks) -> float:
    return expected_calibration_error(confidences, marks.outcomes)
