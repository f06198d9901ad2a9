"""A database with the tables of the event backbone and nothing in them.

In a database there is one active relay, whose positions grow in commit order. Where a test appends by
itself, or the relay has to be a certain one, it needs a database to itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.core.management import call_command
from django.db import connections

from soma.base.ids import new_id


@contextmanager
def own_database() -> Iterator[str]:
    """Its name. It is gone afterwards, whoever still uses it."""
    name = f"events_{new_id().hex[-12:]}"
    with superuser_of(None) as connection:
        connection.execute(f"CREATE DATABASE {name} OWNER soma_owner")
        try:
            with connected_to(name):
                call_command("migrate", "events", database="owner", verbosity=0)
            yield name
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def connected_to(name: str) -> Iterator[None]:
    """Everything in this process that opens a connection meanwhile is connected to the database `name`."""
    connections.close_all()
    usual = {alias: settings["NAME"] for alias, settings in connections.settings.items()}
    for settings in connections.settings.values():
        settings["NAME"] = name
    try:
        yield
    finally:
        connections.close_all()
        for alias, settings in connections.settings.items():
            settings["NAME"] = usual[alias]


@contextmanager
def superuser_of(database: str | None) -> Iterator[psycopg.Connection]:
    """A superuser's connection, in autocommit mode; None: to the database of the whole run."""
    from soma.project.configuration import CONFIGURATION
    from soma.project.postgres_location import postgres_location

    with psycopg.connect(**postgres_location(CONFIGURATION).admin(database), autocommit=True) as connection:
        yield connection
