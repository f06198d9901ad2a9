"""What a memory itself has to be like."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordFilter:
    """Of one of `roles`, by one of `speakers` (empty: of any), at `since` or later, before `until`."""

    roles: tuple[str, ...] = ()
    speakers: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None

    def __bool__(self) -> bool:
        """Whether it restricts anything."""
        return bool(self.roles or self.speakers or self.since is not None or self.until is not None)


ANY_RECORD = RecordFilter()
