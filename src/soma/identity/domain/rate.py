"""How often something may happen, and whether it may now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from soma.base.errors import InvalidInput
from soma.identity.domain.stored import checked_key, checked_span

MAXIMUM_LIMIT = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class RateWindow:
    """At most `limit` hits under `key` in any stretch of time as long as `span`."""

    key: str
    limit: int
    span: timedelta

    def __post_init__(self) -> None:
        """Raises InvalidInput, LimitExceeded."""
        checked_key(self.key)
        checked_span(self.span)
        if not 1 <= self.limit <= MAXIMUM_LIMIT:
            raise InvalidInput(f"a rate's limit is a whole number from 1 to {MAXIMUM_LIMIT}")


@dataclass(frozen=True, kw_only=True, slots=True)
class RateDecision:
    """Whether a window has room. `remaining` hits may follow at once; where it is full, one may again
    after `retry_after` seconds, which is 0 otherwise."""

    window: RateWindow
    allowed: bool
    remaining: int
    retry_after: float


def checked_windows(windows: Sequence[RateWindow]) -> Sequence[RateWindow]:
    """`windows`, if no two have the same key. Raises InvalidInput."""
    if len({window.key for window in windows}) != len(windows):
        raise InvalidInput("two windows of one hit have the same key")
    return windows
