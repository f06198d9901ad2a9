"""Nobody changes the log: most lack the right to, and the tables refuse the rest. event_place is what tells
a log in Kafka from whatever else its topics hold."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import DatabaseError, connections

from soma.base.database import tenant_transaction
from soma.base.ids import new_id
from soma.events.api import PostgresEventLog, Relay, publish
from tests.events.own_database import superuser_of
from tests.events.samples import failed_turn

pytestmark = pytest.mark.req("REPLAY-002")

CHANGES = [
    "UPDATE {table} SET key = ''",
    "UPDATE {table} SET sequence = sequence + 1000000 WHERE tenant_id = '{tenant}'",
    "DELETE FROM {table} WHERE tenant_id = '{tenant}'",
    "DELETE FROM {table} WHERE false",
    "TRUNCATE {table}",
    "TRUNCATE {table} CASCADE",
    "INSERT INTO {table} SELECT * FROM {table} ON CONFLICT (event_id) DO UPDATE SET key = ''",
    "MERGE INTO {table} USING event_stream ON false WHEN MATCHED THEN DELETE",
]
TABLES = ["event_log", "event_place"]


@pytest.fixture(scope="module")
def tenant() -> UUID:
    """One for all of these tests: none of them changes anything."""
    return new_id()


@pytest.fixture(scope="module")
def recorded(tenant: UUID) -> Iterator[Callable[[str], list[Any]]]:
    """All that a table has of the tenant, in either log."""
    with tenant_transaction(tenant):
        publish(failed_turn(tenant, "first"), failed_turn(tenant, "second"))
    relay = Relay(PostgresEventLog())
    relay.start()
    assert relay.drain(30)
    relay.stop()
    with superuser_of(None) as connection:
        connection.execute(
            "INSERT INTO event_place (event_id, tenant_id, sequence, type, key, partition, position)"
            " SELECT event_id, tenant_id, sequence, type, key, 'nowhere/0', position"
            " FROM event_log WHERE tenant_id = %s",
            [tenant],
        )
        query = "SELECT * FROM {table} WHERE tenant_id = %s ORDER BY sequence"
        yield lambda table: connection.execute(query.replace("{table}", table).encode(), [tenant]).fetchall()


def on(table: str, change: str, tenant: UUID) -> str:
    return change.replace("{table}", table).replace("{tenant}", str(tenant))


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("role", ["default", "worker", "owner"])
def test_no_role_of_ours_may(
    role: str, table: str, change: str, tenant: UUID, recorded: Callable[[str], list[Any]]
) -> None:
    before = recorded(table)
    with pytest.raises(DatabaseError), tenant_transaction(tenant, using=role):
        connections[role].cursor().execute(on(table, change, tenant))
    assert len(before) == 2
    assert recorded(table) == before


@pytest.mark.parametrize("replication_role", ["origin", "replica"])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("table", TABLES)
def test_the_table_refuses_even_a_superuser(
    table: str,
    change: str,
    replication_role: str,
    superuser: psycopg.Connection,
    tenant: UUID,
    recorded: Callable[[str], list[Any]],
) -> None:
    """replica: the mode in which ordinary triggers are silent."""
    before = recorded(table)
    superuser.execute(f"SET session_replication_role = {replication_role}")
    with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
        superuser.execute(on(table, change, tenant).encode())
    assert recorded(table) == before


@pytest.mark.parametrize("table", TABLES)
def test_the_app_role_cannot_add_to_the_log_either(table: str, tenant: UUID) -> None:
    with pytest.raises(DatabaseError, match="permission denied"), tenant_transaction(tenant):
        connections["default"].cursor().execute(f"INSERT INTO {table} SELECT * FROM {table}")
