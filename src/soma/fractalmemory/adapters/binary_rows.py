"""Reading rows in PostgreSQL's binary format."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from django.db import connections

from soma.fractalmemory.adapters.availability import postgres_answers

Rows = list[tuple[Any, ...]]


def binary_rows(using: str, statement: str, values: Mapping[str, Any]) -> Rows:
    """The rows of `statement`. Bytes come as they are, where text would take twice as many and be parsed;
    times come in the connection's zone, which is UTC."""
    with _cursor(using) as cursor:
        return cursor.execute(statement, values, binary=True).fetchall()


@contextmanager
def rows_under_way(using: str, statement: str, values: Mapping[str, Any]) -> Iterator[Callable[[], Rows]]:
    """The same, sent without waiting: PostgreSQL works while the block does, and what is called in it waits
    for the rows. What else the block asks of this connection is answered after them."""
    connection = connections[using]
    with _cursor(using) as cursor, connection.connection.pipeline():
        cursor.execute(statement, values, binary=True)
        yield cursor.fetchall


@contextmanager
def _cursor(using: str) -> Iterator["psycopg.Cursor[tuple[Any, ...]]"]:
    connection = connections[using]
    with postgres_answers(), connection.cursor() as cursor, connection.wrap_database_errors:
        yield cast("psycopg.Cursor[tuple[Any, ...]]", cursor.cursor)
