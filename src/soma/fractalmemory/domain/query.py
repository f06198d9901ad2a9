"""What to look for in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from soma.fractalmemory.domain.record_filter import ANY_RECORD, RecordFilter


@dataclass(frozen=True, kw_only=True, slots=True)
class VectorQuery:
    """The `limit` memories of `namespace` nearest to `vector` (shape (d,), float32, unit length).

    `filters` maps a key of the provenance to the values it may have (a memory without the key has none
    of them); `exclude_source_hashes` leaves out memories whose provenance has one of these `input_hash`;
    `as_of` leaves out what occurred later; `only` says what a memory itself has to be like.
    """

    namespace: str
    vector: NDArray[np.float32] = field(repr=False, compare=False)
    limit: int
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    exclude_source_hashes: tuple[str, ...] = ()
    as_of: datetime | None = None
    only: RecordFilter = ANY_RECORD
