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

from soma.base.canonical import json_bytes, sha256_hex
from soma.base.clock import iso
from soma.fractalmemory.domain.passage import Passage

PART_OF = ("source_document", "chunk")
"""What of a provenance makes a memory a part of a document."""
SESSION_FIELDS = ("session", "conversation_id", "source_document")
"""What of a provenance names the session that a memory belongs to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MemoryRecord:
    """One memory of one tenant. `(tenant, namespace, key)` names it for good, and so does `id`.

    `occurred_at` is the time of the event, `created_at` that of its storing. `importance` is in [0, 1].
    `provenance` is a flat JSON object that the owner of the memory gives a meaning to; the store filters by
    it, and reads SESSION_FIELDS and PART_OF.
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
    def session(self) -> str:
        """What it was said in, as the first of SESSION_FIELDS tells that there is; "" for nothing."""
        return next((str(self.provenance[name]) for name in SESSION_FIELDS if self.provenance.get(name)), "")

    @property
    def is_part(self) -> bool:
        """Whether it is a part of a document."""
        return all(self.provenance.get(name) is not None for name in PART_OF)

    @property
    def content_hash(self) -> str:
        """What two records of a namespace share when they are one memory under two keys: SHA-256, 64 hex
        digits.

        What was said in a session is an event: the same text there is the same memory only from the same
        speaker, in the same role, at the same time. What was said in none is a fact, which is known once of
        each speaker, whenever it was told. Of a fact without a speaker it is `content_hash` of the text. A
        part of a document is a memory of its own, whatever else says the same: it comes and goes with its
        document.
        """
        text = content_hash(self.content)
        if self.is_part:
            names = (*PART_OF, "revision")
            return _digest("part", text, *(str(self.provenance.get(name)) for name in names))
        if self.session:
            return _digest("event", text, self.session, self.role, self.speaker, iso(self.occurred_at))
        return _digest("fact", text, self.speaker) if self.speaker else text

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


def _digest(*parts: str) -> str:
    return sha256_hex(json_bytes(parts))


def _facts(record: MemoryRecord) -> tuple[object, ...]:
    return (
        record.content,
        record.role,
        record.speaker,
        record.occurred_at,
        record.importance,
        dict(record.provenance),
    )
