"""What memory holds of a user's, as its owner sees it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class Memory:
    """One memory, in the namespace that its owner calls `namespace`."""

    record_id: UUID
    namespace: str
    key: str
    content: str
    role: str
    speaker: str
    importance: float
    provenance: Mapping[str, Any]
    occurred_at: datetime
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class NamespaceSize:
    """How many memories a namespace holds, and when the latest of them happened."""

    name: str
    memories: int
    latest: datetime
