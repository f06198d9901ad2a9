"""Identifiers: UUIDv7, so that primary keys arrive in index order."""

import hashlib
from datetime import datetime
from uuid import UUID

import uuid_utils.compat

MILLISECONDS_SHIFT = 80
VERSION_AND_VARIANT = (0x7 << 76) | (0b10 << 62)
DIGEST_BITS = (0xFFF << 64) | (1 << 62) - 1
"""What of a UUIDv7 is neither time nor fixed."""


def new_id() -> UUID:
    """A fresh UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then random bits."""
    return uuid_utils.compat.uuid7()


def named_id(moment: datetime, *names: str) -> UUID:
    """The UUIDv7 of `moment` whose other bits are SHA-256 of `names`: the same for the same, wherever and
    however often it is asked for."""
    digest = hashlib.sha256("\0".join(names).encode()).digest()
    milliseconds = int(moment.timestamp() * 1000)
    bits = int.from_bytes(digest[:16], "big") & DIGEST_BITS
    return UUID(int=(milliseconds << MILLISECONDS_SHIFT) | VERSION_AND_VARIANT | bits)


def parse_id(text: str) -> UUID | None:
    """The id that `text` spells, or None when it spells none."""
    try:
        return UUID(text)
    except ValueError:
        return None
