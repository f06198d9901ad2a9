"""One place in a stack: a server of our own, or the one whose address the configuration names."""

from dataclasses import dataclass
from typing import Any

from soma.base.configuration import Configuration
from soma.project.stack.kind import Kind
from soma.project.stack.server import Server
from soma.project.stack.servers import KINDS
from soma.project.stack.state import Entry, stack_directory


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """The server `name` of the stack that `configuration` means."""

    name: str
    configuration: Configuration

    @property
    def external(self) -> str:
        """The address of a server that is not ours; nothing if it is to be."""
        return str(getattr(self.configuration, KINDS[self.name].setting))

    @property
    def external_environment(self) -> dict[str, str]:
        """The variables that name the external server."""
        variables = {KINDS[self.name].variable: self.external}
        if self.name == "spicedb":
            variables["SOMAGENT_SPICEDB_TOKEN"] = self.configuration.spicedb_token
        return variables

    @property
    def server(self) -> Server:
        """Our own server as it was started: to stop it or ask after it, it need not know the others."""
        return self._server(KINDS[self.name]())

    @property
    def startable(self) -> Server:
        """Our own server, told what the configuration and the other members say. Raises Unavailable when one
        that it needs was never started."""
        return self._server(KINDS[self.name](**self._options()))

    @property
    def address(self) -> str:
        """Where it is, ours or not. Raises Unavailable if it was never started."""
        return self.external or self.server.address

    @property
    def entry(self) -> Entry | None:
        """What `stack.json` says of it; nothing if it was not started. Raises Unavailable."""
        if self.external:
            return Entry(
                name=self.name,
                address=self.external,
                origin="external",
                environment=self.external_environment,
            )
        server = self.server
        record = server.record
        if record is None:
            return None
        return Entry(
            name=self.name,
            address=server.address,
            origin="started",
            environment=server.environment,
            pid=record.pid,
            started=record.started,
            log=str(server.log),
        )

    def _server(self, kind: Kind) -> Server:
        directory = stack_directory(self.configuration.home) / self.name
        return Server(kind, directory, preferred=kind.port)

    def _options(self) -> dict[str, Any]:
        if self.name == "opa":
            return {"policies": self.configuration.policy_directory}
        if self.name == "prometheus":
            return {"scraped_port": self.configuration.port}
        if self.name == "spicedb":
            return {"postgres_url": Member(name="postgres", configuration=self.configuration).address}
        return {}
