"""What the levels of the neuromodulators do (brain.md, Learning). All of it stands here.

Every effect is bounded, and at the level .5 there is none: a turn runs as its capsule says. Which way an
effect goes never depends on another's level.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from soma.brain.domain.neuromodulators import Neuromodulators
from soma.brain.domain.weights import BOUNDS, Weights
from soma.brain.kernels.adaptation import learning_rate

REST = 0.5
"""The level without an effect."""

TAU_SPREAD = 0.6
"""Serotonin at its ends takes 30 % off τ, or adds as much."""

PATIENCE_STEPS = 4.0
"""An answer is looked at once more from serotonin .75 on, and twice at 1."""

FAST_FROM = 0.75
"""Norepinephrine comes here where half of the deadline is used turn after turn."""

MOST_RECALLED = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Modulation:
    """How levels change what a turn does.

    dopamine: `learning_rate`, .035 to .06. Serotonin: `tau`, a factor of τ in [.7, 1.3], the lower the more
    serotonin; `patience`, 1 to 3, how many answers in a row must be good enough before a turn that refines
    its answer stops. Norepinephrine: `haste`, the share of deadlines that is left, [.5, 1]; `fast_model`,
    whether the fast model is asked where there is one. Acetylcholine: `recall` and `memory_lane`, factors of
    how much is recalled and of the prompt's share for it, [.5, 1.5].
    """

    learning_rate: float = learning_rate(REST)
    tau: float = 1.0
    patience: int = 1
    haste: float = 1.0
    fast_model: bool = False
    recall: float = 1.0
    memory_lane: float = 1.0

    @classmethod
    def of(cls, levels: Neuromodulators) -> Self:
        """The effects of `levels`."""
        calm = levels.serotonin - REST
        return cls(
            learning_rate=learning_rate(levels.dopamine),
            tau=1.0 - TAU_SPREAD * calm,
            patience=1 + int(PATIENCE_STEPS * max(0.0, calm)),
            haste=1.0 - max(0.0, levels.norepinephrine - REST),
            fast_model=levels.norepinephrine >= FAST_FROM,
            recall=0.5 + levels.acetylcholine,
            memory_lane=0.5 + levels.acetylcholine,
        )

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`; what is not there has no effect."""
        return cls(**value)

    def to_dict(self) -> dict[str, Any]:
        """The JSON object that traces show."""
        return asdict(self)

    def weights(self, learned: Weights) -> Weights:
        """`learned` with its τ changed, within the bounds of τ."""
        low, high = BOUNDS["tau"]
        return replace(learned, tau=min(high, max(low, learned.tau * self.tau)))

    def top_k(self, usual: int) -> int:
        """How many memories to recall where `usual` is the capsule's number; at least 1, at most 100."""
        return min(MOST_RECALLED, max(1, round(usual * self.recall)))

    def deadline(self, seconds: float) -> float:
        """What is left of a deadline, in seconds."""
        return seconds * self.haste
