"""The places a turn passes through, for whoever watches: metrics, traces, crash tests."""

from typing import Protocol
from uuid import UUID


class PhaseObserver(Protocol):
    """Is told each time a turn enters a phase."""

    def phase(self, name: str, turn_id: UUID, iteration: int) -> None:
        """`name` is one of the turn's phase names; `iteration` is -1 outside the loop."""


class Unobserved:
    """Watches nothing."""

    def phase(self, name: str, turn_id: UUID, iteration: int) -> None:
        """See PhaseObserver."""
