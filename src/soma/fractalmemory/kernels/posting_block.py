"""Postings as bytes: which records hold a term, how often, and how long those records are.

A block is one byte that says how wide its columns are, then the columns: the gaps between the records'
numbers (the first counted from `base`), the frequencies, the lengths; little-endian, each in the fewest of
1, 2 or 4 bytes that hold its largest value. A term that one record holds takes four bytes.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Columns = tuple[Numbers, Numbers, Numbers]

WIDTHS = (np.dtype("<u1"), np.dtype("<u2"), np.dtype("<u4"))


def pack(base: int, numbers: Numbers, frequencies: Numbers, lengths: Numbers) -> bytes:
    """The block of postings whose `numbers` rise and are at least `base`; all three of shape (p,)."""
    columns = (np.diff(numbers, prepend=base), frequencies, lengths)
    widths = [_width(column) for column in columns]
    head = widths[0] | widths[1] << 2 | widths[2] << 4
    parts = [column.astype(WIDTHS[width]).tobytes() for column, width in zip(columns, widths, strict=True)]
    return bytes((head,)) + b"".join(parts)


def unpack(base: int, block: bytes) -> Columns:
    """Numbers, frequencies and lengths of a block, each of shape (p,)."""
    types = [WIDTHS[block[0] >> shift & 3] for shift in (0, 2, 4)]
    count = (len(block) - 1) // sum(each.itemsize for each in types)
    gaps, frequencies, lengths = _columns(block, types, count)
    return np.cumsum(gaps, dtype=np.int64) + base, frequencies.astype(np.int64), lengths.astype(np.int64)


def _columns(block: bytes, types: Sequence[np.dtype[np.unsignedinteger]], count: int) -> list[NDArray[Any]]:
    columns, offset = [], 1
    for each in types:
        columns.append(np.frombuffer(block, each, count, offset))
        offset += count * each.itemsize
    return columns


def _width(column: Numbers) -> int:
    largest = int(column.max())
    return 0 if largest < 1 << 8 else 1 if largest < 1 << 16 else 2
