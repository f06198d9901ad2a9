"""Inserting rows by statements that are written once.

`save` and `bulk_create` write their SQL anew at each call, which takes three times as long as all the rest
of an insert. This writes the ORM's statement once a model, so that what runs at every iteration of every
turn costs what a statement costs, and stays prepared.
"""

from functools import cache, partial
from typing import Any

import orjson
from django.db import connections
from django.db.models import JSONField, Model
from psycopg.types.json import Jsonb

from soma.base.database import APP

_dumps = partial(orjson.dumps, option=orjson.OPT_NON_STR_KEYS)


def insert(*rows: Model, using: str = APP) -> None:
    """Insert `rows` in this order, inside the open transaction. Each has its primary key set and values in
    all its fields; no signal is sent."""
    with connections[using].cursor() as cursor:
        for row in rows:
            statement, fields = _statement(type(row))
            cursor.execute(statement, [_value(getattr(row, name), is_json) for name, is_json in fields])


@cache
def _statement(model: type[Model]) -> tuple[str, list[tuple[str, bool]]]:
    """The insert of `model`, and what goes into it: names, and whether they hold JSON."""
    fields = [field for field in model._meta.concrete_fields if field.column]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    places = ", ".join(["%s"] * len(fields))
    return f'INSERT INTO "{model._meta.db_table}" ({columns}) VALUES ({places})', [  # noqa: S608 - ours
        (field.attname, isinstance(field, JSONField)) for field in fields
    ]


def _value(value: Any, is_json: bool) -> Any:
    # What else fields hold, psycopg takes as it is.
    return Jsonb(value, dumps=_dumps) if is_json and value is not None else value
