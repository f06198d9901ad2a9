"""The seven learned weights, with their gains and bounds (brain.md, Learning, 4)."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

from soma.base.errors import InvalidInput


@dataclass(frozen=True, kw_only=True, slots=True)
class Weights:
    """alpha: dense similarity · beta: graph · gamma: recency, and the memory lane · tau: temperature of
    selection · lambda_: confidence · mu: cost · nu: latency. In JSON `lambda_` is `lambda`."""

    alpha: float = 1.0
    beta: float = 0.2
    gamma: float = 0.1
    tau: float = 0.7
    lambda_: float = 1.0
    mu: float = 0.1
    nu: float = 0.05

    def to_dict(self) -> dict[str, float]:
        """Name → value, as JSON names them."""
        return {name: getattr(self, field) for name, field in FIELD_OF.items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, float]) -> Self:
        """Weights by their JSON names; those not named have their initial value.

        Raises InvalidInput for an unknown name, or a value outside its bounds.
        """
        for name, value in values.items():
            if name not in FIELD_OF:
                raise InvalidInput(f"There is no weight {name!r}; there are {', '.join(FIELD_OF)}")
            low, high = BOUNDS[FIELD_OF[name]]
            if not low <= value <= high:
                raise InvalidInput(f"The weight {name} is {value}; it takes {low} to {high}")
        return cls(**{FIELD_OF[name]: float(value) for name, value in values.items()})


FIELD_OF = {field.name.rstrip("_"): field.name for field in fields(Weights)}
"""JSON name → field."""

GAINS = {"alpha": 1.0, "beta": 0.25, "gamma": -0.5, "tau": 0.0, "lambda_": 1.0, "mu": -0.25, "nu": -0.25}
"""How strongly each follows the prediction error. τ does not: it has a gradient of its own."""

BOUNDS = {
    "alpha": (0.1, 5.0),
    "beta": (0.0, 2.0),
    "gamma": (0.0, 1.0),
    "tau": (0.4, 1.2),
    "lambda_": (0.1, 5.0),
    "mu": (0.01, 5.0),
    "nu": (0.01, 5.0),
}
