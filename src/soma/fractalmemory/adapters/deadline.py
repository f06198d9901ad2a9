"""How long an operation of several calls may take."""

from time import monotonic


class Deadline:
    """So many seconds from now on, for all the calls of an operation together."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._ends = monotonic() + seconds

    @property
    def left(self) -> float:
        """The seconds that are left; never less than a millisecond, so that a call made with them ends as one
        that was too slow."""
        return max(1e-3, self._ends - monotonic())

    @property
    def passed(self) -> bool:
        """Whether the time is up."""
        return monotonic() >= self._ends
