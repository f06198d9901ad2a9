"""What waits for a consumer."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Reached:
    """How far a consumer has come in a partition: `offset` is the position up to which it has handled or
    parked everything, `newest` the log's last."""

    partition: str
    offset: int
    newest: int

    @property
    def lag(self) -> int:
        """Positions between the two, those of other types included."""
        return max(0, self.newest - self.offset)


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsumerBacklog:
    """How many events of the log a consumer has not handled yet, those `parked` included that wait for their
    next attempt, and since when the oldest of them has been in the log; None where there is none."""

    name: str
    waiting: int
    oldest: datetime | None
    parked: int = 0
    reached: tuple[Reached, ...] = ()
