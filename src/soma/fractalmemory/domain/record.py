"""A memory: what was said or written, by whom, when, and where it comes from."""

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from soma.fractalmemory.domain.passage import Passage

PART_OF = ("source_document", "chunk")


@dataclass(frozen=True, kw_only=True, slots=True)
class MemoryRecord:
    """One memory of one tenant. `(tenant, namespace, key)` names it for good, and so does `id`.

    `occurred_at` is the time of the event, `created_at` that of its storing. `importance` is in [0, 1].
    `provenance` is a flat JSON object that the owner of the memory gives a meaning to; the store only
    filters by it, and tells by it the parts of documents.
    """

    id: UUID
    namespace: str
    key: str
    content: str
    role: str
    speaker: str
    occurred_at: datetime
    importance: float
    provenance: Mapping[str, Any]
    created_at: datetime

    @property
    def content_hash(self) -> str:
        """See `content_hash`. What is a part of a document (`source_document` and `chunk` in its provenance)
        is a memory of its own, whatever else says the same: it comes and goes with its document."""
        part = [self.provenance.get(name) for name in PART_OF]
        plain = content_hash(self.content)
        return plain if None in part else content_hash(f"{self.provenance.get('revision')}/{part}/{plain}")

    def same_memory(self, other: "MemoryRecord") -> bool:
        """Whether storing `other` over this one would change nothing."""
        return _facts(self) == _facts(other)


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexedRecord:
    """A memory to store, with the unit vector of its content: shape (d,), float32. Without a `passage` it is
    found by its vector alone."""

    record: MemoryRecord
    vector: NDArray[np.float32] = field(repr=False, compare=False)
    passage: Passage | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoredRecord:
    """A memory that was found, with the cosine of its vector to the query's, in [-1, 1]."""

    record: MemoryRecord
    similarity: float


def content_hash(content: str) -> str:
    """SHA-256, 64 hex digits, of `content` in NFC with runs of white space made one space: texts that
    differ in nothing a reader sees have one hash."""
    text = " ".join(unicodedata.normalize("NFC", content).split())
    return hashlib.sha256(text.encode()).hexdigest()


def _facts(record: MemoryRecord) -> tuple[object, ...]:
    return (
        record.content,
        record.role,
        record.speaker,
        record.occurred_at,
        record.importance,
        dict(record.provenance),
    )
