"""How often, and after how long, a failed delivery is tried again."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryPolicy:
    """`attempts` deliveries in all; `unit` times 2ⁿ after the n-th failure."""

    attempts: int = 5
    unit: timedelta = timedelta(seconds=1)

    def exhausted(self, failures: int) -> bool:
        """Whether `failures` failed deliveries are all there will be."""
        return failures >= self.attempts

    def delay(self, failures: int) -> timedelta:
        """How long to wait after the `failures`-th failure: 2, 4, 8, 16 s by default."""
        return self.unit * (1 << failures)
