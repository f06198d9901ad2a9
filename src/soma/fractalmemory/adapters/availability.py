"""Telling a server that does not answer from a statement that is wrong."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import InterfaceError, OperationalError

from soma.fractalmemory.errors import StoreUnavailable


@contextmanager
def postgres_answers() -> Iterator[None]:
    """Raise StoreUnavailable for what the block finds out of order in the connection to PostgreSQL."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise StoreUnavailable(f"PostgreSQL does not answer: {error}") from error
