"""What each kind of server says of itself; `server.Server` does the rest."""

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from soma.project.stack.cache import Progress
from soma.project.stack.place import Place
from soma.project.stack.process import Launch


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """A server's program on this machine. `how` says where it came from."""

    path: Path
    version: str
    how: str
    environment: Mapping[str, str] = field(default_factory=dict)


class Kind:
    """One kind of server. A subclass names it, gets its program and says how to run and ask it."""

    name: ClassVar[str]
    port: ClassVar[int]
    """The port it has where nobody else holds it."""
    variable: ClassVar[str]
    """The variable whose address is used instead of a server of our own."""
    setting: ClassVar[str]
    """Its name in `Configuration`."""
    needs: ClassVar[tuple[str, ...]] = ()
    """The kinds that must run before it."""
    start_seconds: ClassVar[float] = 60.0
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    stop_seconds: ClassVar[float] = 20.0

    def cached(self) -> bool:
        """Whether `program` has nothing left to build or fetch."""
        return True

    def program(self, progress: Progress) -> Program:
        """Find, build or fetch the program. Raises Unavailable with the reason."""
        raise NotImplementedError

    def prepare(self, place: Place, program: Program) -> None:
        """Write what the server reads, before each start."""

    def launch(self, place: Place, program: Program) -> Launch:
        """How it is started."""
        raise NotImplementedError

    def check(self, address: str) -> None:
        """Ask the server at `address` whether it can work. Raises Unavailable."""
        raise NotImplementedError

    def settle(self, place: Place, program: Program) -> None:
        """What is left to do once it runs, as often as one likes."""

    def address(self, place: Place) -> str:
        """How clients reach it."""
        raise NotImplementedError

    def environment(self, place: Place) -> dict[str, str]:
        """The variables that point the application at it."""
        return {self.variable: self.address(place)}
