"""No tenant sees or touches another's events, wherever they rest, and a query without a tenant sees none."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import ProgrammingError, connections, transaction

from soma.base.clock import now
from soma.base.database import tenant_transaction
from soma.base.ids import new_id
from soma.events.api import StoredEvent
from tests.events.samples import failed_turn

pytestmark = pytest.mark.req("AUTH-004")

TABLES = ["outbox_message", "event_log", "event_place", "event_stream", "parked_event", "dead_letter"]


@pytest.fixture
def rows(
    tenant: UUID, relayed: Callable[..., list[StoredEvent]], superuser: psycopg.Connection
) -> Iterator[UUID]:
    """A tenant with a row in each table. The one in the outbox is not due, so that it stays there."""
    relayed(failed_turn(tenant, "recorded"))
    superuser.execute(
        """
        INSERT INTO outbox_message (event_id, tenant_id, topic, type, version, key, trace_id, occurred_at,
                                    payload, attempts, next_attempt_at)
        SELECT gen_random_uuid(), tenant_id, topic, type, version, key, trace_id, occurred_at, payload::text,
               1, now() + interval '1 day' FROM event_log WHERE tenant_id = %s
        """,
        [tenant],
    )
    superuser.execute(
        "INSERT INTO parked_event"
        " (consumer, partition, position, tenant_id, attempts, next_attempt_at, last_error)"
        " SELECT 'nobody', 'log', position, tenant_id, 1, now(), '' FROM event_log WHERE tenant_id = %s",
        [tenant],
    )
    superuser.execute(
        "INSERT INTO event_place (event_id, tenant_id, sequence, type, key, partition, position)"
        " SELECT event_id, tenant_id, sequence, type, key, 'nowhere/0', position"
        " FROM event_log WHERE tenant_id = %s",
        [tenant],
    )
    superuser.execute(
        """
        INSERT INTO dead_letter (id, source, attempts, error, failed_at, event_id, tenant_id, topic, type,
                                 version, key, trace_id, occurred_at, payload)
        SELECT gen_random_uuid(), 'relay', 5, '', now(), event_id, tenant_id, topic, type, version, key,
               trace_id, occurred_at, payload FROM event_log WHERE tenant_id = %s
        """,
        [tenant],
    )
    yield tenant
    superuser.execute("DELETE FROM outbox_message WHERE tenant_id = %s", [tenant])
    superuser.execute("DELETE FROM parked_event WHERE tenant_id = %s", [tenant])


@contextmanager
def role(alias: str, tenant_id: str) -> Iterator[Any]:
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        cursor.execute("SELECT set_config('soma.tenant_id', %s, true)", [tenant_id])
        yield cursor


def count(alias: str, table: str, tenant_id: str, *, of: UUID) -> int:
    with role(alias, tenant_id) as cursor:
        cursor.execute(f"SELECT count(*) FROM {table} WHERE tenant_id = %s", [of])
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize("table", TABLES)
def test_a_tenant_sees_its_own_rows_and_no_other(table: str, rows: UUID) -> None:
    assert count("default", table, str(rows), of=rows) == 1
    assert count("default", table, str(new_id()), of=rows) == 0


@pytest.mark.parametrize("table", TABLES)
def test_without_a_tenant_there_are_no_rows_at_all(table: str, rows: UUID) -> None:
    with role("default", "") as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        assert cursor.fetchone()[0] == 0


@pytest.mark.parametrize("table", TABLES)
def test_the_owner_of_the_tables_is_no_exception(
    table: str, rows: UUID, superuser: psycopg.Connection
) -> None:
    flags = "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = %s::regclass"
    assert superuser.execute(flags, [table]).fetchone() == (True, True)
    assert count("owner", table, str(new_id()), of=rows) == 0


@pytest.mark.parametrize("table", TABLES)
def test_the_worker_serves_every_tenant(table: str, rows: UUID) -> None:
    assert count("worker", table, "", of=rows) == 1


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("verb", ["UPDATE {table} SET tenant_id = tenant_id", "DELETE FROM {table}"])
def test_the_app_role_changes_nothing_that_is_on_its_way(table: str, verb: str, rows: UUID) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), role("default", str(rows)) as cursor:
        cursor.execute(verb.replace("{table}", table))


def test_the_offsets_are_the_workers_alone() -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), role("default", "") as cursor:
        cursor.execute("SELECT * FROM consumer_offset")


def test_an_event_cannot_be_slipped_into_another_tenants_outbox(tenant: UUID) -> None:
    statement = """
        INSERT INTO outbox_message
               (event_id, tenant_id, topic, type, version, key, trace_id, occurred_at, payload)
        VALUES (%s, %s, 't', 't', 1, 'k', '', %s, '{}')
    """
    with pytest.raises(ProgrammingError, match="row-level security"), tenant_transaction(tenant):
        connections["default"].cursor().execute(statement, [new_id(), new_id(), now()])
