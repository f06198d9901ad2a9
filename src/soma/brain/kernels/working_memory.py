"""Who stays in a bounded buffer: salience that halves with time, the weakest leaves.

All saliences halve at the same pace, so the order of two never changes: log₂(salience) + time/half-life is
a priority that is computed once, when an item comes in.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Admission:
    """Whether the newcomer comes in, and the index of the item that leaves for it, if one does."""

    admitted: bool
    evicted: int | None


def priority(salience: float, time: float, half_life: float) -> float:
    """log₂(salience) + time/half_life, in half-lives; −∞ for no salience. `salience` ≥ 0, `half_life` > 0
    in the unit of `time`."""
    return float(np.log2(salience)) + time / half_life if salience > 0.0 else float("-inf")


def salience_now(priorities: Doubles, now: float, half_life: float) -> Doubles:
    """What is left at `now` of the saliences that gave `priorities`, any shape."""
    return np.exp2(priorities - now / half_life)


def admit(priorities: Doubles, newcomer: float, capacity: int, gate: float) -> Admission:
    """Whether an item with the priority `newcomer` joins a buffer with `priorities` (n,), oldest first.

    It has to reach `gate` (the priority of the least salience that is admitted now), and where `capacity` is
    reached, the weakest leaves for it, of equals the oldest; a newcomer that is weaker than all stays out.
    """
    if newcomer < gate or capacity < 1:
        return Admission(admitted=False, evicted=None)
    if len(priorities) < capacity:
        return Admission(admitted=True, evicted=None)
    weakest = int(np.argmin(priorities))
    if newcomer < priorities[weakest]:
        return Admission(admitted=False, evicted=None)
    return Admission(admitted=True, evicted=weakest)
