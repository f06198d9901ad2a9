"""Where a server lives: its directory and its ports."""

from dataclasses import dataclass
from pathlib import Path

from soma.base.crypto import load_or_create_secret
from soma.base.errors import Unavailable
from soma.project.stack.ports import any_port, comes_free, is_free
from soma.project.stack.record import Record


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where one server lives: its directory, its port, and a second one for what it says to itself."""

    directory: Path
    port: int
    inner_port: int

    @property
    def data(self) -> Path:
        """What the server keeps."""
        return self.directory / "data"

    def secret(self, name: str) -> str:
        """A password or key of this server, made on first use and readable by its owner only."""
        return load_or_create_secret(self.directory / "secrets" / name, size=24).hex()


def place_of(directory: Path, record: Record) -> Place:
    """Where the server of `record` lives."""
    return Place(directory=directory, port=record.port, inner_port=record.inner_port)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ports:
    """Which port a server gets: the `fixed` one, or the one that it had, or the `preferred`, or any."""

    fixed: int | None = None
    preferred: int | None = None

    def place(self, directory: Path, last: Record | None, *, anew: bool) -> Place:
        """Where it is to live now. `anew` after somebody took a port of the last choice meanwhile.

        Raises Unavailable when the fixed port is taken.
        """
        kept = last is not None and not anew and comes_free(last.inner_port)
        inner = last.inner_port if last is not None and kept else any_port()
        return Place(directory=directory, port=self._port(last), inner_port=inner)

    def _port(self, last: Record | None) -> int:
        if self.fixed is not None:
            if comes_free(self.fixed):
                return self.fixed
            raise Unavailable(f"port {self.fixed} is taken: something else listens there")
        if last is not None and comes_free(last.port):
            return last.port
        return self.preferred if self.preferred and is_free(self.preferred) else any_port()
