"""Every table with a tenant's rows stands behind row-level security, whoever added it."""

import pytest
from django.db import connections

from soma.base.database import APP, WORKER
from soma.project.postgres_location import APP as APP_ROLE
from soma.project.postgres_location import WORKER as WORKER_ROLE

pytestmark = pytest.mark.req("AUTH-004")

TENANT_TABLES = """
    SELECT class.relname, class.relrowsecurity, class.relforcerowsecurity
    FROM pg_class AS class JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid
    WHERE class.relkind IN ('r', 'p') AND class.relnamespace = 'public'::regnamespace
      AND (attribute.attname = 'tenant_id' OR class.relname = 'tenant') AND attribute.attnum > 0
    GROUP BY 1, 2, 3 ORDER BY 1
"""
WITHOUT_TENANTS = {"django_migrations", "consumer_offset", "consumer_heartbeat"}


def tables() -> list[tuple[str, bool, bool]]:
    """Each tenant table, and whether its security is on and forced."""
    with connections[APP].cursor() as cursor:
        cursor.execute(TENANT_TABLES)
        found: list[tuple[str, bool, bool]] = cursor.fetchall()
    return found


def test_it_is_on_and_forced_everywhere() -> None:
    found = tables()

    assert len(found) > 15
    assert [name for name, on, forced in found if not (on and forced)] == []


def test_no_table_is_forgotten() -> None:
    with connections[APP].cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        everything = {name for (name,) in cursor.fetchall()}

    assert everything - {name for name, _, _ in tables()} == WITHOUT_TENANTS


def test_without_a_tenant_the_application_sees_no_row(tenant: object) -> None:
    readable = []
    with connections[APP].cursor() as cursor:
        for name, _, _ in tables():
            cursor.execute("SELECT has_table_privilege(%s, 'SELECT')", [name])
            if cursor.fetchone() == (True,):
                readable.append(name)
                cursor.execute(f'SELECT count(*) FROM "{name}"')
                assert cursor.fetchone() == (0,), name
    assert {"tenant", "turn", "message", "memory_record", "event_log"} <= set(readable)


@pytest.mark.parametrize(("alias", "role"), [(APP, APP_ROLE), (WORKER, WORKER_ROLE)])
def test_neither_role_may_bypass_it(alias: str, role: str) -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT current_user, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        )
        assert cursor.fetchone() == (role, False, False)
