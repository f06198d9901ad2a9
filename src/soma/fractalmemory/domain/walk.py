"""Where to go along links."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from soma.fractalmemory.domain.query import VectorQuery


@dataclass(frozen=True, kw_only=True, slots=True)
class Walk:
    """From the memories `seeds` of `namespace`, along the `fanout` best links of each, `hops` times, until
    `limit` memories are known, the seeds among them.

    Each memory that is stepped on is of the namespace, and one that `within` lets through where it is given;
    the seeds are taken as they are. `at` is the moment that conductances are taken at.
    """

    namespace: str
    seeds: tuple[UUID, ...]
    hops: int
    at: datetime
    fanout: int = 16
    limit: int = 256
    within: VectorQuery | None = None
