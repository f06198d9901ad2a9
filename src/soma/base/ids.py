"""Identifiers: UUIDv7, so that primary keys arrive in index order."""

from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    """A fresh UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then random bits."""
    return uuid_utils.compat.uuid7()


def parse_id(text: str) -> UUID | None:
    """The id that `text` spells, or None when it spells none."""
    try:
        return UUID(text)
    except ValueError:
        return None
