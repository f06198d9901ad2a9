"""The seed of a turn."""

import hashlib
from uuid import UUID

MAXIMUM_SEED = 2**32 - 1


def seed_of(turn_id: UUID) -> int:
    """The first four bytes of SHA-256 of the turn's id: a function of the id alone, so that a
    re-execution samples the same tokens."""
    return int.from_bytes(hashlib.sha256(str(turn_id).encode()).digest()[:4], "big")
