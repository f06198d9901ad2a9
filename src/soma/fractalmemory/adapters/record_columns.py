"""Memories and vectors as PostgreSQL writes them."""

from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from soma.base.canonical import json_value
from soma.fractalmemory.domain.record import MemoryRecord

FOUND = ("id", "namespace", "key", "content", "role", "speaker", "occurred_at", "importance", "created_at")
COLUMNS = f"provenance::text, {', '.join(FOUND)}"
"""What the statements of storage find of a memory; `found` makes one of them."""


def found(provenance: str, *columns: Any) -> MemoryRecord:
    """The memory of a row of COLUMNS."""
    values = dict(zip(FOUND, columns, strict=True))
    return MemoryRecord(**values, provenance=json_value(provenance))


def vector_text(vector: NDArray[np.float32]) -> str:
    """`vector` as pgvector reads it."""
    return orjson.dumps(np.ascontiguousarray(vector, np.float32), option=orjson.OPT_SERIALIZE_NUMPY).decode()


def vector_of(text: str) -> NDArray[np.float32]:
    """The vector that pgvector wrote."""
    return np.array(orjson.loads(text), np.float32)
