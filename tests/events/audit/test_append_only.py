"""Nobody changes the chain: most lack the right to, and the tables refuse the rest."""

from collections.abc import Callable
from uuid import UUID

import psycopg
import pytest
from django.db import DatabaseError, connections

from soma.base.database import tenant_transaction
from soma.events.api import AuditTrail
from tests.events.own_database import superuser_of

pytestmark = pytest.mark.req("AUDIT-001")

TABLES = ["audit_link", "audit_checkpoint", "audit_expiry"]
CHANGES = [
    "UPDATE {table} SET digest = ''",
    "UPDATE {table} SET sequence = sequence + 1000000 WHERE tenant_id = '{tenant}'",
    "DELETE FROM {table} WHERE tenant_id = '{tenant}'",
    "DELETE FROM {table} WHERE false",
    "TRUNCATE {table}",
]


@pytest.fixture(scope="module")
def tenant(recorded: Callable[..., UUID]) -> UUID:
    """One for all of these tests: none of them changes anything."""
    return recorded(4)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("role", ["default", "worker", "owner"])
def test_no_role_of_ours_may(role: str, table: str, change: str, tenant: UUID) -> None:
    with (
        pytest.raises(DatabaseError, match=r"permission denied|append-only"),
        tenant_transaction(tenant, using=role),
    ):
        connections[role].cursor().execute(change.format(table=table, tenant=tenant))


@pytest.mark.parametrize("replication_role", ["origin", "replica"])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("table", TABLES)
def test_the_table_refuses_even_a_superuser(
    table: str, change: str, replication_role: str, own_database: str, tenant: UUID
) -> None:
    """replica: the mode in which ordinary triggers are silent."""
    with superuser_of(own_database) as connection:
        connection.execute(f"SET session_replication_role = {replication_role}".encode())
        with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
            connection.execute(change.format(table=table, tenant=tenant).encode())


@pytest.mark.parametrize("table", TABLES)
def test_the_app_role_cannot_add_to_the_chain_either(table: str, tenant: UUID) -> None:
    with pytest.raises(DatabaseError, match="permission denied"), tenant_transaction(tenant):
        connections["default"].cursor().execute(f"INSERT INTO {table} SELECT * FROM {table}")


@pytest.mark.parametrize("table", TABLES)
def test_no_tenant_sees_anothers_chain(
    table: str, tenant: UUID, recorded: Callable[..., UUID], trail: AuditTrail
) -> None:
    other = recorded(1)
    trail.signer.announce_expiry({tenant: 1, other: 1})
    with tenant_transaction(other), connections["default"].cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT tenant_id FROM {table}")
        assert cursor.fetchall() == [(other,)]
