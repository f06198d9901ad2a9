"""Memories to store in tests, with vectors that are easy to reason about."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soma.base.ids import new_id
from soma.fractalmemory.api import IndexedRecord, MemoryRecord, VectorQuery

DIMENSIONS = 384
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)

Vector = NDArray[np.float32]


def towards(axis: int, *, aside: float = 0.0, second: int = 1) -> Vector:
    """A unit vector along `axis`, turned by `aside` radians towards `axis + second`."""
    vector = np.zeros(DIMENSIONS, np.float32)
    vector[axis] = np.cos(aside)
    vector[(axis + second) % DIMENSIONS] += np.sin(aside)
    return vector


def memory(key: str, vector: Vector | None = None, **changes: Any) -> IndexedRecord:
    """A memory of the namespace "n" whose content is its key."""
    values: dict[str, Any] = {
        "id": new_id(),
        "namespace": "n",
        "key": key,
        "content": f"Content of {key}",
        "role": "user",
        "speaker": "",
        "occurred_at": NEW_YEAR,
        "importance": 0.5,
        "provenance": {"trace_id": "t", "source_turn": key},
        "created_at": NEW_YEAR,
    }
    return IndexedRecord(
        record=MemoryRecord(**{**values, **changes}), vector=towards(0) if vector is None else vector
    )


def query(vector: Vector, limit: int = 10, **changes: Any) -> VectorQuery:
    """A query of the namespace "n"."""
    return VectorQuery(**{"namespace": "n", "vector": vector, "limit": limit, **changes})
