"""SpiceDB, keeping its relations in PostgreSQL, or in memory where a test asks for that."""

from soma.project.stack import cache
from soma.project.stack.build_go import build_go, go_key
from soma.project.stack.cache import Progress
from soma.project.stack.checks import check_grpc_health
from soma.project.stack.kind import Kind, Program
from soma.project.stack.pins import go_version
from soma.project.stack.place import Place
from soma.project.stack.ports import HOST
from soma.project.stack.postgres import ensure_database, with_database
from soma.project.stack.process import Launch
from soma.project.stack.tool import read_tool

MODULE = "github.com/authzed/spicedb"
DATABASE = "spicedb"


class SpiceDb(Kind):
    """Its key and its database's password go through the environment: command lines are everybody's."""

    name = "spicedb"
    port = 25051
    variable = "SOMAGENT_SPICEDB_ADDRESS"
    setting = "spicedb_address"
    needs = ("postgres",)

    def __init__(self, postgres_url: str = "", database: str = DATABASE) -> None:
        """`postgres_url` is an administrator's; without one, memory holds the relations."""
        self._postgres_url = postgres_url
        self._database = database

    def cached(self) -> bool:
        """See Kind."""
        return cache.cached(self.name, go_key("")) is not None

    def program(self, progress: Progress) -> Program:
        """See Kind."""
        path = build_go(self.name, module="", package=f"{MODULE}/cmd/spicedb", progress=progress)
        return Program(path=path, version=go_version("go.mod", MODULE), how="built by Go")

    def prepare(self, place: Place, program: Program) -> None:
        """Bring the database up to this version's schema."""
        if not self._postgres_url:
            return
        ensure_database(self._postgres_url, self._database)
        read_tool(
            [str(program.path), "datastore", "migrate", "head", "--skip-release-check"],
            what="migrating SpiceDB's database",
            environment=self._datastore(),
        )

    def launch(self, place: Place, program: Program) -> Launch:
        """See Kind."""
        command = (
            str(program.path), "serve",
            "--grpc-addr", f"{HOST}:{place.port}",
            "--metrics-enabled=false",
            "--http-enabled=false",
            "--dispatch-cluster-enabled=false",
            "--telemetry-endpoint=",
            "--skip-release-check",
            "--log-format", "json",
            "--log-level", "warn",
        )  # fmt: skip
        environment = {"SPICEDB_GRPC_PRESHARED_KEY": place.secret("key"), **self._datastore()}
        return Launch(command=command, environment=environment, directory=place.data)

    def check(self, address: str) -> None:
        """See Kind."""
        check_grpc_health(address)

    def address(self, place: Place) -> str:
        """See Kind."""
        return f"{HOST}:{place.port}"

    def environment(self, place: Place) -> dict[str, str]:
        """See Kind."""
        return {self.variable: self.address(place), "SOMAGENT_SPICEDB_TOKEN": place.secret("key")}

    def _datastore(self) -> dict[str, str]:
        if not self._postgres_url:
            return {"SPICEDB_DATASTORE_ENGINE": "memory"}
        return {
            "SPICEDB_DATASTORE_ENGINE": "postgres",
            "SPICEDB_DATASTORE_CONN_URI": with_database(self._postgres_url, self._database),
            "SPICEDB_DATASTORE_CONN_POOL_READ_MIN_OPEN": "2",
            "SPICEDB_DATASTORE_CONN_POOL_WRITE_MIN_OPEN": "2",
        }
