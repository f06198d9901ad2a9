"""The vectors of a namespace in the order in which they were written."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a memory's present state stands in its namespace's order of writing. Rewriting moves it to the
    end."""

    written_at: datetime
    record_id: UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenVector:
    """The vector (d,) of the memory at `place`, as it is kept."""

    place: Place
    vector: NDArray[np.float32] = field(repr=False, compare=False)
