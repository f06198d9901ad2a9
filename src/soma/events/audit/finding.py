"""What a verification of the audit chain finds."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from soma.events.audit.checkpoint import Checkpoint


class Fault(StrEnum):
    """What somebody has done to the log."""

    CHANGED = "changed"
    REMOVED = "removed"
    INSERTED = "inserted"
    REORDERED = "reordered"
    TRUNCATED = "truncated"


class Part(StrEnum):
    """What it was done to."""

    EVENT = "event"
    LINK = "link"
    CHECKPOINT = "checkpoint"


@dataclass(frozen=True, kw_only=True, slots=True)
class Break:
    """The first place where the chain does not hold. `event_id` is None where nothing names it any more."""

    sequence: int
    event_id: UUID | None
    fault: Fault
    part: Part
    detail: str

    def as_json(self) -> dict[str, Any]:
        """The same for whoever is outside."""
        return {**asdict(self), "event_id": str(self.event_id) if self.event_id else None}

    def __str__(self) -> str:
        name = f"event {self.sequence}" + (f" ({self.event_id})" if self.event_id else "")
        return f"{name}: {self.part} {self.fault}: {self.detail}"


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditReport:
    """How far a tenant's chain was looked at, and whether it holds up to there.

    `events` were read and fit their links; `expired` ones have left by the retention, and their links stand
    for them. Everything up to `sequence` is linked, everything up to `proven` is signed as well, by
    `checkpoints` good signatures of which `checkpoint` is the latest. `expected` is the last sequence there
    must be.
    """

    tenant_id: UUID
    after: int
    sequence: int
    expected: int
    digest: bytes
    events: int
    expired: int
    checkpoints: int
    proven: int
    checkpoint: Checkpoint | None
    broken: Break | None

    @property
    def intact(self) -> bool:
        """Whether all that was looked at holds."""
        return self.broken is None

    def as_json(self) -> dict[str, Any]:
        """The report for whoever is outside; `link` in hex."""
        return {
            "tenant_id": str(self.tenant_id),
            "intact": self.intact,
            "after": self.after,
            "sequence": self.sequence,
            "link": self.digest.hex(),
            "events": self.events,
            "expired": self.expired,
            "checkpoints": self.checkpoints,
            "proven": self.proven,
            "checkpoint": self.checkpoint.as_json() if self.checkpoint else None,
            "broken": self.broken.as_json() if self.broken else None,
        }
