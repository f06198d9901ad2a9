"""Token lanes: how much of the context each kind of text may fill, and how much it does fill.

share(lane) = base share x (weight / initial weight), floored at 5 %, normalised to 1. The buffer has no
weight of its own and takes part with its base share, so no lane can go negative (decisions.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

FLOOR = 0.05
BASE_SHARES = {"system": 0.20, "history": 0.30, "memory": 0.20, "tools": 0.15, "buffer": 0.15}
LANE_WEIGHTS = {"system": "alpha", "history": "beta", "memory": "gamma", "tools": "lambda"}


class CutReason(StrEnum):
    """NO_ROOM: it is longer than what the lane had left. BEHIND_CUT: it comes after one that was cut, and a
    lane takes what is next or nothing, so that no dialogue has holes."""

    NO_ROOM = "no_room"
    BEHIND_CUT = "behind_cut"


@dataclass(frozen=True, kw_only=True, slots=True)
class CutItem:
    """A message, a piece of evidence or a tool's result that did not get into the prompt."""

    lane: str
    id: str
    tokens: int
    reason: CutReason

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"lane": self.lane, "id": self.id, "tokens": self.tokens, "reason": self.reason.value}


@dataclass(frozen=True, kw_only=True, slots=True)
class LaneAllocation:
    """Of each lane its share of the budget and the tokens that this grants it; once a prompt was fitted, the
    tokens it uses and those that did not fit, with the items they are the tokens of. The shares of a turn
    that was recorded without them are empty."""

    budget: int
    tokens: dict[str, int]
    shares: dict[str, float] = field(default_factory=dict)
    used: dict[str, int] = field(default_factory=dict)
    cut: dict[str, int] = field(default_factory=dict)
    cut_items: tuple[CutItem, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The JSON form that iterations keep."""
        return {
            "budget": self.budget,
            "tokens": self.tokens,
            "shares": self.shares,
            "used": self.used,
            "cut": self.cut,
            "cut_items": [item.to_dict() for item in self.cut_items],
        }


def allocate(
    budget: int, weights: Mapping[str, float], initial: Mapping[str, float], *, memory: float = 1.0
) -> LaneAllocation:
    """Split `budget` tokens over the lanes.

    `weights` and `initial` map weight names to positive numbers. `memory` widens the memory
    lane, or narrows it where it is below 1.
    """
    raw = {lane: _raw_share(lane, share, weights, initial) for lane, share in BASE_SHARES.items()}
    raw["memory"] *= memory
    shares = floored(raw)
    tokens = {lane: int(budget * share) for lane, share in shares.items()}
    tokens["buffer"] += budget - sum(tokens.values())
    return LaneAllocation(budget=budget, tokens=tokens, shares=shares)


def floored(raw: Mapping[str, float]) -> dict[str, float]:
    """`raw` normalised to sum 1 with every share at least FLOOR (needs FLOOR x lanes <= 1)."""
    fixed: set[str] = set()
    while True:
        free = 1.0 - FLOOR * len(fixed)
        total = sum(value for lane, value in raw.items() if lane not in fixed)
        shares = {
            lane: FLOOR if lane in fixed else (value / total if total else 1 / len(raw)) * free
            for lane, value in raw.items()
        }
        low = {lane for lane, share in shares.items() if share < FLOOR} - fixed
        if not low:
            return shares
        fixed |= low


def _raw_share(lane: str, share: float, weights: Mapping[str, float], initial: Mapping[str, float]) -> float:
    name = LANE_WEIGHTS.get(lane)
    return share if name is None else share * weights[name] / initial[name]
