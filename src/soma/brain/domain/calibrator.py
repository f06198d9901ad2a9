"""From the cosine of a recalled memory to how likely it is relevant."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from soma.brain.kernels.calibration.isotonic import RisingCurve, compact, fit_isotonic, heights_at
from soma.brain.kernels.calibration.temperature import fit_temperature, scaled
from soma.brain.kernels.scoring import logistic

Doubles = NDArray[np.float64]

CONFIDENCE_SLOPE = 16.7
CONFIDENCE_MIDPOINT = 0.561
"""Where nothing was marked: the logistic curve through cosine → relevant, fitted on the pairs that MIN_SCORE
is measured on, every question against every fact. Expected calibration error over what is recalled, in
five-fold cross-validation by question: .041. It knows MiniLM, English and a memory of some hundred facts."""

PRIOR = np.linspace(0.0, 1.0, 11)
"""Cosines at each of which a rising curve is told once what the shipped one says: a few marks make it certain
of nothing, and where there are none it goes on as shipped."""


class Method(StrEnum):
    """How cosines become confidences. The number counts what the shipped curve was fitted on."""

    LOGISTIC = "logistic-cosine-1"
    TEMPERATURE = "temperature-cosine-1"
    ISOTONIC = "isotonic-cosine-1"


@dataclass(frozen=True, kw_only=True, slots=True)
class Calibrator:
    """The shipped curve; the same at a `temperature`; or a rising `curve` of its own."""

    method: Method = Method.LOGISTIC
    temperature: float = 1.0
    curve: RisingCurve | None = None

    def confidence(self, cosines: Doubles) -> Doubles:
        """The confidence in [0, 1] of each cosine, any shape; never lower for a larger one."""
        if self.curve is not None:
            return heights_at(self.curve, cosines)
        shipped = shipped_confidence(cosines)
        return shipped if self.method is Method.LOGISTIC else scaled(shipped, self.temperature)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        curve = self.curve
        points = None if curve is None else [curve.scores.tolist(), curve.heights.tolist()]
        return {"method": self.method.value, "temperature": self.temperature, "curve": points}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of to_dict."""
        points = value["curve"]
        curve = (
            None if points is None else RisingCurve(scores=np.array(points[0]), heights=np.array(points[1]))
        )
        return cls(method=Method(value["method"]), temperature=value["temperature"], curve=curve)


SHIPPED = Calibrator()


def shipped_confidence(cosines: Doubles) -> Doubles:
    """What is said where nothing was marked."""
    return logistic(np.clip(cosines, 0.0, 1.0), CONFIDENCE_SLOPE, CONFIDENCE_MIDPOINT)


def by_temperature(cosines: Doubles, outcomes: Doubles) -> Calibrator:
    """The shipped curve at the temperature under which `outcomes` (n,) are likeliest."""
    return Calibrator(
        method=Method.TEMPERATURE, temperature=fit_temperature(shipped_confidence(cosines), outcomes)
    )


def by_rising_curve(cosines: Doubles, outcomes: Doubles) -> Calibrator:
    """The rising curve nearest to `outcomes` (n,) and to the shipped one at PRIOR."""
    told = fit_isotonic(
        np.concatenate([cosines, PRIOR]), np.concatenate([outcomes, shipped_confidence(PRIOR)])
    )
    return Calibrator(method=Method.ISOTONIC, curve=compact(told))
