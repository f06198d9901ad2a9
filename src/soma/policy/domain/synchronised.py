"""What bringing a relation server level with the database came to."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Synchronised:
    """How many relationships the tenant has, and how many the server lacked or had too many."""

    relationships: int
    touched: int = 0
    deleted: int = 0
    schema_written: bool = False
