"""The regret watch: whether what an agent learned of late is better given up (brain.md, Learning, 6)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from soma.base.errors import InvalidInput

MEMORY = 5
"""How many times as many turns as are compared the watch looks back: what was good long ago may be due to
easier questions."""

DOUBT = 3.0
"""Standard errors that the difference has to exceed the margin by. The best of many means is high by chance
alone, and the watch looks after every turn."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RegretSettings:
    """The mean reward of the last `turns` (0 to 200; 0: nobody watches) is worse if it is lower by `margin`,
    in (0, 1]. Raises InvalidInput for anything else."""

    turns: int = 20
    margin: float = 0.05

    def __post_init__(self) -> None:
        if not 0 <= self.turns <= 200 or self.turns == 1:
            raise InvalidInput(f"The regret watch compares {self.turns} turns; it takes 0, or 2 to 200")
        if not 0.0 < self.margin <= 1.0:
            raise InvalidInput(
                f"The regret watch has the margin {self.margin}; it takes more than 0, up to 1"
            )

    @property
    def memory(self) -> int:
        """The turns that are looked at."""
        return MEMORY * self.turns


@dataclass(frozen=True, kw_only=True, slots=True)
class TurnReward:
    """The mean reward of a turn, in [0, 1], and the sequence of its checkpoint."""

    sequence: int
    reward: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Regret:
    """The last turns were worse than those up to the checkpoint `good`: the mean was `then` and is `now`."""

    good: int
    then: float
    now: float


@dataclass(frozen=True, kw_only=True, slots=True)
class _Window:
    """As many turns in a row as are compared: the checkpoint after the last, mean and variance."""

    sequence: int
    mean: float
    variance: float


def regret(turns: Sequence[TurnReward], settings: RegretSettings) -> Regret | None:
    """What there is to regret after `turns`, oldest first: those since the agent last went back, of which
    the last `settings.memory` count. None while they are as good as the best ones were, or while that is
    in doubt.

    The last good checkpoint is the one after the best `settings.turns` in a row, the later one of two that
    are as good. None of the turns is in both means, so that nothing is said before there are twice as many.
    """
    size = settings.turns
    seen = turns[-settings.memory :] if size else ()
    if not size or len(seen) < 2 * size:
        return None
    windows = [_window(seen[end - size : end]) for end in (*range(size, len(seen) - size + 1), len(seen))]
    *earlier, now = windows
    good = max(earlier, key=lambda window: (window.mean, window.sequence))
    doubt = DOUBT * math.sqrt((good.variance + now.variance) / size)
    if good.mean - now.mean < settings.margin + doubt:
        return None
    return Regret(good=good.sequence, then=good.mean, now=now.mean)


def _window(turns: Sequence[TurnReward]) -> _Window:
    mean = math.fsum(turn.reward for turn in turns) / len(turns)
    variance = math.fsum((turn.reward - mean) ** 2 for turn in turns) / (len(turns) - 1)
    return _Window(sequence=turns[-1].sequence, mean=mean, variance=variance)
