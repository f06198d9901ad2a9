"""What became of an import."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Imported:
    """How many memories were `stored` anew or `updated`, how many stood already (`unchanged`, or under
    another key: `duplicates`), and how many `links` were set."""

    stored: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicates: int = 0
    links: int = 0
