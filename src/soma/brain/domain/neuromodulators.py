"""The levels of the four neuromodulators."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

from soma.base.errors import InvalidInput


@dataclass(frozen=True, kw_only=True, slots=True)
class Neuromodulators:
    """Levels in [0, 1]; dopamine stays in [.2, .8]."""

    dopamine: float = 0.5
    serotonin: float = 0.5
    norepinephrine: float = 0.5
    acetylcholine: float = 0.5

    def to_dict(self) -> dict[str, float]:
        """Name → level."""
        return {name: getattr(self, name) for name in NAMES}

    @classmethod
    def from_dict(cls, values: Mapping[str, float]) -> Self:
        """Levels by name, `noradrenaline` being another name of norepinephrine; those not named are .5.

        Raises InvalidInput for an unknown name, or a level outside its range.
        """
        levels = {ALIASES.get(name, name): float(level) for name, level in values.items()}
        for name, level in levels.items():
            if name not in NAMES:
                raise InvalidInput(f"There is no neuromodulator {name!r}; there are {', '.join(NAMES)}")
            low, high = RANGES.get(name, (0.0, 1.0))
            if not low <= level <= high:
                raise InvalidInput(f"{name} is {level}; it takes {low} to {high}")
        return cls(**levels)


NAMES = tuple(field.name for field in fields(Neuromodulators))
ALIASES = {"noradrenaline": "norepinephrine"}
RANGES = {"dopamine": (0.2, 0.8)}
