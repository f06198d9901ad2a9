"""What comparing an index with the memories found."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Reconciled:
    """`lost` memories had no vector in the index and are to be indexed again; `orphaned` vectors of no memory
    were removed. `cursor` continues the comparison; None when it is complete."""

    lost: int
    orphaned: int
    cursor: str | None
