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
    from soma.project.stack.server import Server


@pytest.fixture
def superuser() -> Iterator[psycopg.Connection]:
    """A superuser's connection to the database of the test, in autocommit mode."""
    from django.db import connections

    from tests.events.own_database import superuser_of

    with superuser_of(connections.settings["default"]["NAME"]) as connection:
        yield connection


@pytest.fixture
def name() -> str:
    """A consumer nobody has been before."""
    from soma.base.ids import new_id

    return f"consumer-{new_id()}"


@pytest.fixture(scope="module")
def own_database() -> Iterator[str]:
    """A database for the tests of a module, to which this process is connected meanwhile."""
    from tests.events.own_database import connected_to, own_database

    with own_database() as name, connected_to(name):
        yield name


@pytest.fixture(scope="module")
def kafka_log(own_database: str, shared_server: "Callable[[str], Server]") -> "Iterator[EventLog]":
    """A log in Kafka with topics of its own, beside a database of its own."""
    from soma.base.ids import new_id
    from soma.events.adapters.event_log_kafka import KafkaEventLog

    log = KafkaEventLog(shared_server("kafka").address, prefix=f"test-{new_id().hex}.")
    yield log
    log.close()


@pytest.fixture(params=["postgres", "kafka"])
def either_log(request: pytest.FixtureRequest, own_database: str) -> "EventLog":
    """Each log there is, beside a database of its own."""
    from soma.events.api import PostgresEventLog

    if request.param == "postgres":
        return PostgresEventLog()
    log: EventLog = request.getfixturevalue("kafka_log")
    return log


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
