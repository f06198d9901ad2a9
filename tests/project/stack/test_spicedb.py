"""SpiceDB keeps its schema in PostgreSQL, and answers nobody without the key."""

from pathlib import Path

import grpc
import pytest
from authzed.api.v1 import InsecureClient, ReadSchemaRequest, WriteSchemaRequest

from soma.project.stack.server import Server
from tests.project.stack.hosts import hosts
from tests.servers import OpenServer

pytestmark = pytest.mark.req("STACK-001")
SCHEMA = "definition user {}"


def client(server: Server) -> InsecureClient:
    """A client with the server's own key."""
    return InsecureClient(server.address, server.environment["SOMAGENT_SPICEDB_TOKEN"])


def test_its_schema_outlives_a_kill(own_server: OpenServer) -> None:
    server = own_server("spicedb")
    assert hosts(server) == {"127.0.0.1"}
    client(server).WriteSchema(WriteSchemaRequest(schema=SCHEMA), timeout=10)

    server.kill()
    server.start()

    assert client(server).ReadSchema(ReadSchemaRequest(), timeout=10).schema_text == SCHEMA
    assert server.stop()


def test_in_memory_it_forgets(own_server: OpenServer) -> None:
    server = own_server("spicedb", engine="memory")
    client(server).WriteSchema(WriteSchemaRequest(schema=SCHEMA), timeout=10)

    server.kill()
    server.start()

    with pytest.raises(grpc.RpcError, match="no schema has been defined"):
        client(server).ReadSchema(ReadSchemaRequest(), timeout=10)


def test_nobody_is_answered_without_the_key(own_server: OpenServer) -> None:
    server = own_server("spicedb", engine="memory")
    with pytest.raises(grpc.RpcError, match="invalid preshared key"):
        InsecureClient(server.address, "guess").ReadSchema(ReadSchemaRequest(), timeout=10)


def test_its_key_is_on_no_command_line(own_server: OpenServer) -> None:
    server = own_server("spicedb", engine="memory")
    record = server.record
    assert record is not None
    line = Path(f"/proc/{record.pid}/cmdline").read_text()
    assert server.environment["SOMAGENT_SPICEDB_TOKEN"] not in line
