"""A phase observer that kills its own process, for the tests of what survives."""

import os
import signal
import time
from uuid import UUID

AT = "SOMA_TEST_KILL_AT"


class KillsAtPhase:
    """`kill -9` on entering the phase that the environment names, as "name:iteration", in a turn that began
    after this process did; a turn that it resumes is left in peace."""

    def __init__(self) -> None:
        name, _, iteration = os.environ[AT].partition(":")
        self._at = (name, int(iteration))
        self._born_ms = time.time_ns() // 1_000_000

    def phase(self, name: str, turn_id: UUID, iteration: int) -> None:
        """See PhaseObserver."""
        began_ms = turn_id.int >> 80
        if (name, iteration) == self._at and began_ms >= self._born_ms:
            os.kill(os.getpid(), signal.SIGKILL)


class KillsPostgresAtPhases:
    """`kill -9` of the embedded PostgreSQL, once at each of the phases that the environment names, as
    "name:iteration,…"."""

    def __init__(self) -> None:
        self._left = set(os.environ[AT].split(","))

    def phase(self, name: str, turn_id: UUID, iteration: int) -> None:
        """See PhaseObserver."""
        from soma.project.configuration import CONFIGURATION
        from soma.project.postgres_location import data_directory

        place = f"{name}:{iteration}"
        if place in self._left:
            self._left.discard(place)
            pid = (data_directory(CONFIGURATION.home) / "postmaster.pid").read_text().split()[0]
            os.kill(int(pid), signal.SIGKILL)
