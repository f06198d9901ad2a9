"""Telling a service that is down from an event that is bad."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DataError, IntegrityError, InterfaceError, OperationalError

from soma.base.errors import Unavailable
from soma.events.errors import EventLogUnavailable, EventRefused

# SQLSTATE classes: connection, resources (disk full, too many connections), operator (shutdown, crash),
# transaction rollback (deadlock), lock not available. Others of OperationalError, such as a limit of the
# program (54) or a cancelled statement (57014), come back with the same event every time.
PASSING = ("08", "53", "57P", "40", "55P")


def is_outage(error: Exception) -> bool:
    """Whether `error` will pass by itself, whatever the event is."""
    if isinstance(error, OperationalError):
        sqlstate = getattr(error.__cause__, "sqlstate", None)
        return sqlstate is None or sqlstate.startswith(PASSING)
    return isinstance(error, (Unavailable, InterfaceError))


@contextmanager
def refusals() -> Iterator[None]:
    """Tell events that cannot be stored from a database that cannot store: EventRefused or
    EventLogUnavailable."""
    try:
        yield
    except (IntegrityError, DataError, OperationalError) as error:
        reason = str(error).partition("\n")[0]
        if is_outage(error):
            raise EventLogUnavailable(reason) from error
        raise EventRefused(reason) from error
