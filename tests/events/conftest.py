"""Events, a relay, and the superuser, whom no policy and no missing privilege stops.

Other tests of this run may have a relay of their own on the same database, and it may be the one that is
active: what is tested here holds whoever relays.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from uuid import UUID

import psycopg
import pytest

if TYPE_CHECKING:
    from soma.events.api import Event, EventLog, Relay, StoredEvent


@pytest.fixture
def superuser() -> Iterator[psycopg.Connection]:
    """A superuser's connection, in autocommit mode."""
    from soma.project.configuration import CONFIGURATION
    from soma.project.postgres_location import postgres_location

    with psycopg.connect(**postgres_location(CONFIGURATION).admin(), autocommit=True) as connection:
        yield connection


@pytest.fixture
def log() -> "EventLog":
    """The log that the relay fills."""
    from soma.events.api import PostgresEventLog

    return PostgresEventLog()


@pytest.fixture
def relay(log: "EventLog") -> "Iterator[Relay]":
    """A relay that runs."""
    from soma.events.api import Relay

    relay = Relay(log)
    relay.start()
    yield relay
    relay.stop()


@pytest.fixture
def commit() -> "Callable[..., None]":
    """Publishes its arguments in a transaction of the first one's tenant, and commits."""
    from soma.base.database import tenant_transaction
    from soma.events.api import publish

    def commit(*events: "Event") -> None:
        with tenant_transaction(events[0].tenant_id):
            publish(*events)

    return commit


@pytest.fixture
def details(log: "EventLog") -> "Callable[[UUID], list[str]]":
    """The details of a tenant's failed turns, in log order."""

    def details(tenant_id: UUID) -> list[str]:
        return [event.payload["detail"] for event in log.read(tenant_id)]

    return details


@pytest.fixture
def relayed(
    relay: "Relay", log: "EventLog", commit: "Callable[..., None]"
) -> "Callable[..., list[StoredEvent]]":
    """Publishes events of one tenant and returns all that the log then has of it."""

    def relayed(*events: "Event") -> "list[StoredEvent]":
        commit(*events)
        assert relay.drain(30)
        return log.read(events[0].tenant_id)

    return relayed
