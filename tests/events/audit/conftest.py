"""A chain of a tenant's own, made by a real relay on a database of its own."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from uuid import UUID

import psycopg
import pytest

if TYPE_CHECKING:
    from soma.base.crypto import SigningKey
    from soma.events.api import AuditTrail, EventLog


@pytest.fixture(scope="module")
def key() -> "SigningKey":
    """The installation's."""
    from soma.base.crypto import SigningKey

    return SigningKey.from_seed(bytes(range(32)))


@pytest.fixture(scope="module")
def recorded(own_database: str, key: "SigningKey") -> "Callable[..., UUID]":
    """Makes a tenant whose events were recorded, and signed after every `every`."""
    from soma.events.api import AuditSigner, PostgresEventLog
    from tests.events.audit.recording import record

    def recorded(amount: int, *, every: int = 4, log: "EventLog | None" = None) -> UUID:
        return record(log or PostgresEventLog(), AuditSigner(key), amount=amount, every=every)

    return recorded


@pytest.fixture
def trail(own_database: str, key: "SigningKey") -> "AuditTrail":
    """The audit trail of the log in PostgreSQL."""
    from soma.events.api import AuditTrail, PostgresEventLog

    return AuditTrail(PostgresEventLog(), key)


@pytest.fixture(scope="module")
def intruder(own_database: str) -> Iterator[psycopg.Connection]:
    """A superuser who has switched off what makes the tables append-only."""
    from tests.events.own_database import superuser_of

    with superuser_of(own_database) as connection:
        for table in ("event_log", "event_place", "audit_link", "audit_checkpoint", "audit_expiry"):
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER append_only".encode())
        yield connection
