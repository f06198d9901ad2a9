"""Memories that may answer a question, with what ranking looks at."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from soma.fractalmemory.domain.lexicon import Lexicon
from soma.fractalmemory.domain.query import VectorQuery
from soma.fractalmemory.domain.record_filter import ANY_RECORD, RecordFilter

Floats = NDArray[np.float64]
Indexes = NDArray[np.intp]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, slots=True)
class CandidateQuery:
    """The `limit` memories nearest to `vector` (d,), and the `limit` with the largest BM25 by `lexicon`, with
    the parameters `k1` and `b`; and the `a_time` nearest of what occurred within each of `times` (from,
    until). Filters, exclusions, `as_of` and `only` are those of VectorQuery."""

    namespace: str
    vector: NDArray[np.float32] = field(repr=False, compare=False)
    lexicon: Lexicon = field(repr=False, compare=False)
    limit: int = 50
    times: tuple[tuple[datetime, datetime], ...] = ()
    a_time: int = 20
    k1: float = 0.9
    b: float = 0.4
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    exclude_source_hashes: tuple[str, ...] = ()
    as_of: datetime | None = None
    only: RecordFilter = ANY_RECORD

    @property
    def dense(self) -> VectorQuery:
        """The part that vectors answer."""
        return VectorQuery(
            namespace=self.namespace,
            vector=self.vector,
            limit=self.limit,
            filters=self.filters,
            exclude_source_hashes=self.exclude_source_hashes,
            as_of=self.as_of,
            only=self.only,
        )

    @property
    def dated(self) -> list[VectorQuery]:
        """The parts that times answer."""
        dense, only = replace(self.dense, limit=self.a_time), self.only
        return [
            replace(
                dense,
                only=replace(
                    only,
                    since=start if only.since is None else max(start, only.since),
                    until=end if only.until is None else min(end, only.until),
                ),
            )
            for start, end in self.times
        ]

    @property
    def restricted(self) -> bool:
        """Whether some memories of the namespace may not answer."""
        return bool(self.filters or self.exclude_source_hashes or self.as_of is not None or self.only)


@dataclass(frozen=True, kw_only=True, slots=True)
class CandidateSet:
    """n memories: those `found` by vector, by terms or by time, and the previous and the next of each in its
    session. Their contents are not read: few of them will be wanted, and they may be long.

    `eligible` are those that the query's filters let through; the others are context for their neighbours
    only. `similarity` is the cosine of the memory's vector with the query's, `best_sentence` the largest of
    its sentences' (its own where it has one only). `frequencies` (n, t) counts the lexicon's terms, `lengths`
    all terms; `words`, `told`, `asks`, `timed` are the passage's. `session` numbers the sessions from 0;
    `previous` and `next` are positions among the n, −1 where there is none or it is not among them. A memory
    without a passage has no terms, tells everything, and is alone in its session. The order means nothing,
    and is the same for the same question of the same memories.
    """

    ids: tuple[UUID, ...]
    roles: tuple[str, ...]
    speakers: tuple[str, ...]
    occurred_at: tuple[datetime, ...]
    importance: Floats
    found: Booleans
    eligible: Booleans
    similarity: Floats
    best_sentence: Floats
    frequencies: Floats
    lengths: Floats
    words: Floats
    told: Floats
    asks: Booleans
    timed: Booleans
    session: Indexes
    previous: Indexes
    next: Indexes
