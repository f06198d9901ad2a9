"""Which memories were of use."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from soma.base.errors import InvalidInput, LimitExceeded

MAX_ENTRIES = 100
"""As many as recall gives at most."""

MAX_USED = 8
"""Memories used together are linked each with each; of more, those named first count."""

MAX_NAME = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """What came of one recall from `namespace`: `entries` are the memories that words and meaning found,
    `used` those that the answer used, or that were marked right, best first.

    `name` names the use for good, as `turn:<id>` does: links take it in once. `at` is when it was.
    Raises InvalidInput, LimitExceeded.
    """

    tenant_id: UUID
    namespace: str
    name: str
    entries: tuple[UUID, ...]
    used: tuple[UUID, ...]
    at: datetime

    def __post_init__(self) -> None:
        if not self.name or len(self.name) > MAX_NAME or "\x00" in self.name:
            raise InvalidInput(f"A use has a name of 1 to {MAX_NAME} characters")
        for member, ids in (("entries", self.entries), ("used", self.used)):
            if len(ids) > MAX_ENTRIES:
                raise LimitExceeded(member, maximum=MAX_ENTRIES, actual=len(ids), unit="memories")


@dataclass(frozen=True, kw_only=True, slots=True)
class UsageTaken:
    """What links made of a use: how many are new, and through how many of all something flowed. Nothing,
    where they had taken it in before."""

    taken: bool
    made: int = 0
    carried: int = 0
