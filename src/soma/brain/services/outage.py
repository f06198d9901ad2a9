"""Telling a memory that does not answer from one that is empty."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import InterfaceError, OperationalError

from soma.base.errors import Unavailable
from soma.brain.errors import RecallUnavailable, RememberUnavailable


@contextmanager
def asking() -> Iterator[None]:
    """Raise RecallUnavailable where memory cannot be asked."""
    try:
        yield
    except (Unavailable, OperationalError, InterfaceError) as error:
        raise RecallUnavailable(f"Memory could not be asked: {error}") from error


@contextmanager
def writing() -> Iterator[None]:
    """Raise RememberUnavailable where memory cannot be written."""
    try:
        yield
    except (Unavailable, OperationalError, InterfaceError) as error:
        raise RememberUnavailable(f"Memory could not be written: {error}") from error
