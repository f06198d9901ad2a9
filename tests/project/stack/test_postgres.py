"""PostgreSQL with a password, pgvector and commit timestamps; its data outlives a kill."""

from urllib.parse import urlsplit

import psycopg
import pytest

from soma.project.stack.postgres import DATABASES, ensure_database
from tests.project.stack.hosts import hosts
from tests.servers import OpenServer

pytestmark = pytest.mark.req("STACK-001")


def test_its_data_outlives_a_kill(own_server: OpenServer) -> None:
    server = own_server("postgres")
    assert hosts(server) == {"127.0.0.1"}
    with psycopg.connect(server.address) as connection:
        connection.execute("CREATE EXTENSION vector")
        connection.execute("CREATE TABLE kept AS SELECT '[1,2]'::vector(2) AS value")

    server.kill()
    server.start()

    with psycopg.connect(server.address) as connection:
        assert connection.execute("SELECT value::text FROM kept").fetchone() == ("[1,2]",)
        assert connection.execute("SHOW track_commit_timestamp").fetchone() == ("on",)
    assert server.stop()


def test_it_stops_while_clients_are_connected(own_server: OpenServer) -> None:
    server = own_server("postgres")
    with psycopg.connect(server.address):
        assert server.stop()
    assert "database system is shut down" in server.log.read_text()


def test_nobody_enters_without_the_password(shared_server: OpenServer) -> None:
    address = shared_server("postgres").address
    password = urlsplit(address).password or ""
    assert len(password) >= 32
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(address.replace(password, "guess"))


def test_a_database_is_made_once(shared_server: OpenServer) -> None:
    address = shared_server("postgres").address
    for name in DATABASES:
        with psycopg.connect(ensure_database(address, name)) as connection:
            assert connection.execute("SELECT current_database()").fetchone() == (name,)


def test_its_password_is_on_no_command_line(shared_server: OpenServer) -> None:
    server = shared_server("postgres")
    password = urlsplit(server.address).password or ""
    record = server.record
    assert record is not None
    with open(f"/proc/{record.pid}/cmdline") as line:
        assert password not in line.read()
