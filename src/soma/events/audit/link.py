"""A link of the audit chain."""

import hashlib
from dataclasses import dataclass
from uuid import UUID

ROOT = bytes(64)
"""What stands before the first link of a tenant."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """What the chain says of the event `event_id`: the 64 bytes of `digest` stand for all up to it."""

    sequence: int
    event_id: UUID
    digest: bytes


def digest_after(previous: bytes, document: bytes) -> bytes:
    """SHA3-512 of the link before and the event's canonical document, 64 bytes."""
    return hashlib.sha3_512(previous + document).digest()
