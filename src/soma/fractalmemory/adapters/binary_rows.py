"""Reading rows in PostgreSQL's binary format."""

from collections.abc import Mapping
from typing import Any, cast

import psycopg
from django.db import connections

from soma.fractalmemory.adapters.availability import postgres_answers


def binary_rows(using: str, statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of `statement`. Bytes come as they are, where text would take twice as many and be parsed;
    times come in the connection's zone, which is UTC."""
    connection = connections[using]
    with postgres_answers(), connection.cursor() as cursor, connection.wrap_database_errors:
        inner = cast("psycopg.Cursor[tuple[Any, ...]]", cursor.cursor)
        inner.execute(statement, values, binary=True)
        return inner.fetchall()
