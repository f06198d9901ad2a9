"""The PostgreSQL server that both contenders work on, seen by its administrator."""

import os
import statistics
import time
from pathlib import Path
from typing import Any

import psutil
import psycopg
from psycopg import sql

from benchmarks.cpu import server_ms
from benchmarks.home import postmaster
from soma.base.configuration import Configuration
from soma.project.postgres_location import postgres_location

SETTINGS = (
    "server_version",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "wal_compression",
    "shared_buffers",
)

SIZES = """
    SELECT relname, pg_table_size(oid) FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname LIKE %s
    UNION ALL
    SELECT class.relname, pg_relation_size(indexrelid) FROM pg_index
    JOIN pg_class AS class ON class.oid = indexrelid JOIN pg_class AS owner ON owner.oid = indrelid
    WHERE owner.relnamespace = 'public'::regnamespace AND owner.relname LIKE %s ORDER BY 1
"""
USER_TABLES = "SELECT relname FROM pg_stat_user_tables ORDER BY relname"


class Server:
    """Reads what the contenders cost the server."""

    def __init__(self, configuration: Configuration) -> None:
        self._home = configuration.home
        self._location = postgres_location(configuration)
        running = postmaster(configuration.home)
        if running is None:
            raise RuntimeError("the embedded PostgreSQL of this benchmark does not run")
        self._process: psutil.Process = running

    def connect(self, database: str) -> psycopg.Connection:
        """A connection of the administrator; the caller closes it."""
        return psycopg.connect(**self._location.admin(database), autocommit=True)

    def address(self, database: str) -> str:
        """The connection string of the administrator."""
        return psycopg.conninfo.make_conninfo(**self._location.admin(database))

    def create_database(self, name: str) -> None:
        """A new, empty database."""
        with self.connect("postgres") as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def cpu_ms(self) -> float:
        """Processor time of all the server's processes so far."""
        return server_ms(self._process)

    def wal_position(self, connection: psycopg.Connection) -> int:
        """Bytes of write-ahead log made since the server was born."""
        return int(_value(connection, "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"))

    def checkpoint(self, connection: psycopg.Connection) -> None:
        """From here on, the first change of a page writes the whole page to the log again."""
        connection.execute("CHECKPOINT")

    def rows(self, connection: psycopg.Connection) -> dict[str, int]:
        """How many rows each table of the connection's database holds."""
        tables = [str(row[0]) for row in connection.execute(USER_TABLES)]
        return {
            table: int(_value(connection, sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))))
            for table in tables
        }

    def sizes_mb(self, database: str, tables: str) -> dict[str, float]:
        """Megabytes of each of the `tables` (a pattern of LIKE) in `database`, and of their indexes."""
        with self.connect(database) as connection:
            rows = connection.execute(SIZES, [tables, tables]).fetchall()
        return {str(name): round(size / 2**20, 1) for name, size in rows}

    def settings(self) -> dict[str, str]:
        """The settings that figures depend on."""
        with self.connect("postgres") as connection:
            return {
                name: str(_value(connection, sql.SQL("SHOW {}").format(sql.Identifier(name))))
                for name in SETTINGS
            }

    def sync_ms(self, times: int = 40) -> float:
        """Median time for 8 KiB to reach the disk that the data stands on."""
        return statistics.median(_syncs(self._home / "sync-probe", times))


def _syncs(path: Path, times: int) -> list[float]:
    block, spent = b"\0" * 8192, []
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        for _ in range(times):
            started = time.perf_counter()
            os.write(descriptor, block)
            os.fdatasync(descriptor)
            spent.append((time.perf_counter() - started) * 1000)
    finally:
        os.close(descriptor)
        path.unlink()
    return spent


def _value(connection: psycopg.Connection, query: Any) -> Any:
    row = connection.execute(query).fetchone()
    assert row is not None  # noqa: S101 - each of these queries has exactly one row
    return row[0]
