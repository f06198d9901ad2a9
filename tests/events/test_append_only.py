"""Nobody changes the log: most lack the right to, and the table refuses the rest."""

from collections.abc import Callable
from uuid import UUID

import psycopg
import pytest
from django.db import DatabaseError, connections

from soma.base.database import tenant_transaction
from soma.events.api import EventLog, StoredEvent
from tests.events.samples import failed_turn

pytestmark = pytest.mark.req("REPLAY-002")

CHANGES = [
    "UPDATE event_log SET payload = '{}'",
    "UPDATE event_log SET sequence = sequence + 1000000 WHERE tenant_id = '{tenant}'",
    "DELETE FROM event_log WHERE tenant_id = '{tenant}'",
    "DELETE FROM event_log WHERE false",
    "TRUNCATE event_log",
    "TRUNCATE event_log CASCADE",
    "INSERT INTO event_log SELECT * FROM event_log ON CONFLICT (event_id) DO UPDATE SET payload = '{}'",
    "MERGE INTO event_log USING event_stream ON false WHEN MATCHED THEN DELETE",
]


@pytest.fixture
def recorded(tenant: UUID, relayed: Callable[..., list[StoredEvent]]) -> list[StoredEvent]:
    """What the log has of the tenant."""
    return relayed(failed_turn(tenant, "first"), failed_turn(tenant, "second"))


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("role", ["default", "worker", "owner"])
def test_no_role_of_ours_may(
    role: str, change: str, tenant: UUID, recorded: list[StoredEvent], log: EventLog
) -> None:
    with pytest.raises(DatabaseError), tenant_transaction(tenant, using=role):
        connections[role].cursor().execute(change.replace("{tenant}", str(tenant)))
    assert log.read(tenant) == recorded


@pytest.mark.parametrize("replication_role", ["origin", "replica"])
@pytest.mark.parametrize("change", CHANGES)
def test_the_table_refuses_even_a_superuser(
    change: str,
    replication_role: str,
    superuser: psycopg.Connection,
    tenant: UUID,
    recorded: list[StoredEvent],
    log: EventLog,
) -> None:
    """replica: the mode in which ordinary triggers are silent."""
    superuser.execute(f"SET session_replication_role = {replication_role}")
    with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
        superuser.execute(change.replace("{tenant}", str(tenant)).encode())
    assert log.read(tenant) == recorded


def test_the_app_role_cannot_add_to_the_log_either(tenant: UUID) -> None:
    with pytest.raises(DatabaseError, match="permission denied"), tenant_transaction(tenant):
        connections["default"].cursor().execute("INSERT INTO event_log SELECT * FROM event_log")
