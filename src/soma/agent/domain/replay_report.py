"""What came of a replay."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from soma.agent.domain.divergence import Divergence


class ReplayMode(StrEnum):
    """VERIFY rebuilds a turn from the log and holds that against the rows; REEXECUTE runs it again."""

    VERIFY = "verify"
    REEXECUTE = "reexecute"


class Verdict(StrEnum):
    """INCOMPLETE: something that the replay needs is not there, or not any more."""

    IDENTICAL = "identical"
    DIVERGED = "diverged"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, kw_only=True, slots=True)
class Hashes:
    """SHA-256 of a part of a turn's state, rebuilt and as it is stored; None where it is not known."""

    rebuilt: str | None
    stored: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ReplayReport:
    """`log` tells of the events: how many, from which partitions, which sequences. `hashes` are of weights,
    neuromodulators, iterations and message. `missing` says what is not there; `notes`, what was taken from
    the record because it cannot be had again."""

    turn_id: UUID
    mode: ReplayMode
    status: str
    iterations: int
    attempts: int
    log: Mapping[str, Any]
    hashes: Mapping[str, Hashes] = field(default_factory=dict)
    divergences: Sequence[Divergence] = ()
    missing: Sequence[str] = ()
    notes: Sequence[str] = ()

    @property
    def first(self) -> Divergence | None:
        """The first step that differs."""
        return min(self.divergences, key=_when, default=None)

    @property
    def verdict(self) -> Verdict:
        """What is wrong goes before what is missing."""
        if self.divergences:
            return Verdict.DIVERGED
        return Verdict.INCOMPLETE if self.missing else Verdict.IDENTICAL

    def to_dict(self) -> dict[str, Any]:
        """The JSON object that faces show."""
        first = self.first
        return {
            "turn_id": str(self.turn_id),
            "mode": self.mode.value,
            "verdict": self.verdict.value,
            "status": self.status,
            "iterations": self.iterations,
            "attempts": self.attempts,
            "log": dict(self.log),
            "hashes": {
                name: {"rebuilt": each.rebuilt, "stored": each.stored} for name, each in self.hashes.items()
            },
            "divergence": None if first is None else first.to_dict(),
            "divergent_steps": [str(each.place) for each in sorted(self.divergences, key=_when)],
            "missing": list(self.missing),
            "notes": list(self.notes),
        }


def _when(divergence: Divergence) -> tuple[int, int]:
    return divergence.place.key
