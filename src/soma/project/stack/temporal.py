"""Temporal's development server, keeping its state in SQLite."""

from soma.project.stack import cache
from soma.project.stack.build_go import build_go, go_key
from soma.project.stack.cache import Progress
from soma.project.stack.checks import check_grpc_health
from soma.project.stack.kind import Kind, Program
from soma.project.stack.pins import go_version
from soma.project.stack.place import Place
from soma.project.stack.ports import HOST
from soma.project.stack.process import Launch

MODULE = "github.com/temporalio/cli"
PINS = "temporal/"


class Temporal(Kind):
    """One process with every service, without its pages."""

    name = "temporal"
    port = 27233
    variable = "SOMAGENT_TEMPORAL_ADDRESS"
    setting = "temporal_address"

    def cached(self) -> bool:
        """See Kind."""
        return cache.cached(self.name, go_key(PINS)) is not None

    def program(self, progress: Progress) -> Program:
        """See Kind."""
        path = build_go(self.name, module=PINS, package=f"{MODULE}/cmd/temporal", progress=progress)
        return Program(path=path, version=go_version(f"{PINS}go.mod", MODULE), how="built by Go")

    def launch(self, place: Place, program: Program) -> Launch:
        """See Kind."""
        command = (
            str(program.path), "server", "start-dev", "--headless",
            "--ip", HOST,
            "--port", str(place.port),
            "--http-port", str(place.inner_port),
            "--db-filename", str(place.data / "temporal.sqlite"),
            "--log-level", "warn",
            "--log-format", "json",
            "--disable-config-file",
            "--disable-config-env",
        )  # fmt: skip
        # It would ask its makers every hour for a newer version.
        quiet = {"TEMPORAL_VERSION_CHECK_DISABLED": "1"}
        return Launch(command=command, directory=place.data, environment=quiet)

    def check(self, address: str) -> None:
        """See Kind."""
        check_grpc_health(address)

    def address(self, place: Place) -> str:
        """See Kind."""
        return f"{HOST}:{place.port}"
