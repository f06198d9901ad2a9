"""Blocks of sketches as bytes: of each memory its id, 16 bytes, the signs of its vector, d/8, and which of
its components are large, d/8."""

from collections.abc import Collection
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from soma.fractalmemory.kernels.sketches import Sketches

Entries = NDArray[np.uint8]
"""What blocks say of n memories: (n, 16 + d/4)."""

ID_BYTES = 16


def entry_bytes(dimensions: int) -> int:
    """The size of what a block says of one memory."""
    return ID_BYTES + dimensions // 4


def unpack(block: bytes, dimensions: int) -> Entries:
    """What a block says of its memories."""
    return np.frombuffer(block, np.uint8).reshape(-1, entry_bytes(dimensions))


def sketches(entries: Entries) -> Sketches:
    """The sketches of the memories, (n, d/4)."""
    return entries[:, ID_BYTES:]


def hexadecimal(entries: Entries) -> list[str]:
    """The id of each of the memories as 32 hexadecimal digits."""
    digits = entries[:, :ID_BYTES].tobytes().hex()
    return [digits[start : start + 2 * ID_BYTES] for start in range(0, len(digits), 2 * ID_BYTES)]


def without(block: bytes, gone: Collection[UUID], dimensions: int) -> bytes:
    """The block less the memories `gone`."""
    size = entry_bytes(dimensions)
    unwanted = {each.bytes for each in gone}
    entries = (block[start : start + size] for start in range(0, len(block), size))
    return b"".join(entry for entry in entries if entry[:ID_BYTES] not in unwanted)


def bounds(block: bytes, dimensions: int) -> tuple[UUID, UUID] | None:
    """The lowest and the highest id of a block; None of an empty one."""
    size = entry_bytes(dimensions)
    ids = [block[start : start + ID_BYTES] for start in range(0, len(block), size)]
    return (UUID(bytes=min(ids)), UUID(bytes=max(ids))) if ids else None
