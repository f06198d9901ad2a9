"""A circuit breaker: after too many failures in a row a tool rests (seed 000, 6.3)."""

from dataclasses import dataclass
from enum import StrEnum


class BreakerState(StrEnum):
    """CLOSED lets calls through, OPEN refuses them, HALF_OPEN lets one through to see."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(kw_only=True, slots=True)
class CircuitBreaker:
    """Counts failures in a row. Times are seconds of a monotonic clock that the caller passes in."""

    failure_threshold: int = 5
    reset_seconds: float = 30.0
    state: BreakerState = BreakerState.CLOSED
    failures: int = 0
    opened_at: float = 0.0

    def allows(self, now: float) -> bool:
        """Whether a call may start. The first call after the rest is the probe; others wait for it."""
        if self.state is BreakerState.OPEN and now - self.opened_at >= self.reset_seconds:
            self.state = BreakerState.HALF_OPEN
            return True
        return self.state is BreakerState.CLOSED

    def succeeded(self) -> None:
        """A call went well: start afresh."""
        self.state, self.failures = BreakerState.CLOSED, 0

    def failed(self, now: float) -> None:
        """A call failed; open after the threshold, or at once when it was the probe."""
        self.failures += 1
        if self.state is BreakerState.HALF_OPEN or self.failures >= self.failure_threshold:
            self.state, self.opened_at = BreakerState.OPEN, now
