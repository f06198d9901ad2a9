"""Blocks of sketches as bytes: of each memory its id, 16 bytes, the signs of its vector, d/8, and which of
its components are large, d/8."""

from collections.abc import Collection
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.void]
"""Identities of 16 bytes, (n,)."""

ID = np.dtype("V16")


def entry_bytes(dimensions: int) -> int:
    """The size of what a block says of one memory."""
    return ID.itemsize + dimensions // 4


def unpack(block: bytes, dimensions: int) -> tuple[Ids, NDArray[np.uint8], NDArray[np.uint8]]:
    """The ids (n,), the signs and the magnitudes (n, d/8) of a block."""
    table = np.frombuffer(block, np.uint8).reshape(-1, entry_bytes(dimensions))
    ids = np.ascontiguousarray(table[:, : ID.itemsize]).view(ID)[:, 0]
    signs, magnitudes = np.split(table[:, ID.itemsize :], 2, axis=1)
    return ids, signs, magnitudes


def hexadecimal(ids: Ids) -> list[str]:
    """Each of `ids` (n,) as 32 hexadecimal digits."""
    digits = ids.tobytes().hex()
    return [digits[start : start + 2 * ID.itemsize] for start in range(0, len(digits), 2 * ID.itemsize)]


def without(block: bytes, gone: Collection[UUID], dimensions: int) -> bytes:
    """The block less the memories `gone`."""
    size = entry_bytes(dimensions)
    unwanted = {each.bytes for each in gone}
    entries = (block[start : start + size] for start in range(0, len(block), size))
    return b"".join(entry for entry in entries if entry[: ID.itemsize] not in unwanted)


def bounds(block: bytes, dimensions: int) -> tuple[UUID, UUID] | None:
    """The lowest and the highest id of a block; None of an empty one."""
    size = entry_bytes(dimensions)
    ids = [block[start : start + ID.itemsize] for start in range(0, len(block), size)]
    return (UUID(bytes=min(ids)), UUID(bytes=max(ids))) if ids else None
