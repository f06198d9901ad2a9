"""Every kind of server by name, and how to open one."""

from pathlib import Path
from typing import Any

from soma.base.errors import InvalidInput
from soma.project.stack.kafka import Kafka
from soma.project.stack.kind import Kind
from soma.project.stack.milvus import Milvus
from soma.project.stack.opa import Opa
from soma.project.stack.postgres import Postgres
from soma.project.stack.prometheus import Prometheus
from soma.project.stack.redis import Redis
from soma.project.stack.server import Server
from soma.project.stack.spicedb import SpiceDb
from soma.project.stack.temporal import Temporal

KINDS: dict[str, type[Kind]] = {
    kind.name: kind for kind in (Postgres, Redis, Kafka, Opa, SpiceDb, Temporal, Milvus, Prometheus)
}
"""In the order in which they are started: each after what it needs."""


def open_server(name: str, directory: Path, port: int | None = None, **options: Any) -> Server:
    """The server `name` in `directory`, which is not started by this.

    `options` are those of its kind: `postgres_url` and `database` of spicedb (without them memory holds its
    relations), `policies` of opa, `scraped_port` of prometheus. Raises InvalidInput for an unknown name.
    """
    if name not in KINDS:
        raise InvalidInput(f"There is no server {name!r}; there are {', '.join(KINDS)}")
    return Server(KINDS[name](**options), directory, port=port)
