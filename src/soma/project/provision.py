"""Roles, database, extension and migrations, as often as one likes.

The administrator's connection is used here and nowhere else: a superuser bypasses row-level security.
"""

import psycopg
from psycopg import sql

from soma.base.configuration import Configuration
from soma.project.postgres_location import (
    APP,
    OWNER,
    RETENTION,
    WORKER,
    PostgresLocation,
    postgres_location,
    role_password,
)

PROVISION_LOCK = 0x50F7A
"""Advisory lock: only one process of a cluster provisions at a time."""


def provision(configuration: Configuration) -> None:
    """Make roles, database and extension where they are missing, then run the migrations that are due."""
    location = postgres_location(configuration)
    _ensure_roles_and_database(location, configuration)
    with psycopg.connect(**location.admin(), autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [PROVISION_LOCK])
        connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        connection.execute(f"GRANT CREATE, USAGE ON SCHEMA public TO {OWNER}")
        connection.execute(f"GRANT USAGE ON SCHEMA public TO {APP}, {WORKER}, {RETENTION}")
        migrate()


def migrate() -> None:
    """Apply the migrations that are due, as the owner role."""
    from django.core.management import call_command
    from django.db import connections
    from django.db.migrations.executor import MigrationExecutor

    connection = connections["owner"]
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", database="owner", verbosity=0, interactive=False)
    connection.close()


def _ensure_roles_and_database(location: PostgresLocation, configuration: Configuration) -> None:
    maintenance = "postgres" if location.embedded else location.database
    with psycopg.connect(**location.admin(maintenance), autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [PROVISION_LOCK])
        for role in (OWNER, APP, WORKER, RETENTION):
            _ensure_role(connection, role, role_password(configuration, role))
        if location.embedded:
            _ensure_database(connection, location.database)


def _ensure_role(connection: psycopg.Connection, role: str, password: str) -> None:
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    verb = "ALTER" if known else "CREATE"
    connection.execute(
        sql.SQL("{} ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD {}").format(
            sql.SQL(verb), sql.Identifier(role), sql.Literal(password)
        )
    )


def _ensure_database(connection: psycopg.Connection, name: str) -> None:
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(OWNER))
        )
