"""What a namespace holds."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """How many memories `namespace` has, and when the latest of them happened."""

    namespace: str
    records: int
    latest: datetime
