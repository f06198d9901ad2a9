"""Where in the whole database a word still stands."""

import json
from collections.abc import Sequence
from uuid import UUID

from django.db import connections
from django.db.backends.utils import CursorWrapper

from soma.base.database import tenant_transaction


def everything_with(words: Sequence[str], tenant: UUID) -> list[str]:
    """The tables that hold one of `words` in any column of any row."""
    found = []
    with tenant_transaction(tenant), connections["default"].cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute("SELECT has_table_privilege(%s, 'SELECT')", [table])
            if cursor.fetchone() == (True,):
                found += [table for text in _texts(cursor, table) if any(word in text for word in words)]
    return found


def _texts(cursor: CursorWrapper, table: str) -> list[str]:
    cursor.execute(f'SELECT to_jsonb("{table}")::text FROM "{table}"')
    rows = [text for (text,) in cursor.fetchall()]
    # Bytes are written in hexadecimal, and a word may stand in them.
    return rows + [_unhexed(json.loads(row)) for row in rows]


def _unhexed(row: dict[str, object]) -> str:
    values = [each for each in row.values() if isinstance(each, str) and each.startswith("\\x")]
    return "".join(bytes.fromhex(each[2:]).decode("latin-1") for each in values)
