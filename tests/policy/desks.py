"""A desk puts policies in force for one engine, as whoever runs that engine would."""

import contextlib
import time
from pathlib import Path
from typing import Protocol, Self

from soma.base.errors import Unavailable
from soma.policy.adapters.policy_engine_opa import OpaPolicyEngine
from soma.policy.adapters.policy_engine_rego import RegoPolicyEngine
from soma.policy.ports import PolicyEngine
from soma.project.stack.server import Server
from tests.policy.opa_server import Files, WatchedOpa, write_bundle, write_files

PATIENCE_S = 10.0


class Desk(Protocol):
    """What the contract asks of an adapter's test."""

    def engine(self, files: Files) -> PolicyEngine:
        """An engine on `files`, given as name → content."""

    def replace(self, files: Files) -> None:
        """Put `files` in force in place of what the engine has, and return once they are or were refused."""


class RegoDesk:
    """Files in a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._engine: RegoPolicyEngine

    def engine(self, files: Files) -> RegoPolicyEngine:
        """See Desk."""
        write_files(self._directory, files)
        self._engine = RegoPolicyEngine(self._directory)
        return self._engine

    def replace(self, files: Files) -> None:
        """See Desk."""
        write_files(self._directory, files)
        self._engine.reload()


class OpaDesk:
    """A bundle of a server that watches it. One that OPA cannot start with leaves nobody to ask."""

    def __init__(self, directory: Path, *, deadline_s: float) -> None:
        self.bundle = directory / "bundle.tar.gz"
        self._deadline_s = deadline_s
        self.server = Server(WatchedOpa(self.bundle), directory / "opa")
        self._engine: OpaPolicyEngine | None = None

    def engine(self, files: Files) -> OpaPolicyEngine:
        """See Desk."""
        write_bundle(self.bundle, files)
        with contextlib.suppress(Unavailable):
            self.server.start()
        address = self.server.address if self.server.running else "http://127.0.0.1:1"
        self._engine = OpaPolicyEngine(address, deadline_s=self._deadline_s)
        return self._engine

    def replace(self, files: Files) -> None:
        """See Desk."""
        assert self._engine is not None
        revision = write_bundle(self.bundle, files)
        until = time.monotonic() + PATIENCE_S
        with OpenedEngine(self.server.address) as witness:
            while witness.policy_hash != revision:
                assert time.monotonic() < until, "OPA does not take the bundle"
                witness.reload()
        self._engine.reload()

    def close(self) -> None:
        """End the server."""
        if self._engine is not None:
            self._engine.close()
        self.server.kill()


class OpenedEngine(OpaPolicyEngine):
    """Closed at the end of a block."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
