"""What waits for a consumer."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsumerBacklog:
    """How many events of the log a consumer has not handled yet, those included that wait for their next
    attempt, and since when the oldest of them has been in the log; None where there is none."""

    name: str
    waiting: int
    oldest: datetime | None
