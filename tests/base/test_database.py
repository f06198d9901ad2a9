"""Database threads keep their connections, and none outlives its server side."""

import asyncio
from uuid import UUID

import psycopg
import pytest
from django.db import DataError, connections

from soma.base.configuration import Configuration
from soma.base.database import APP, DatabaseThreads, tenant_transaction
from soma.project.configuration import CONFIGURATION
from soma.project.postgres_location import postgres_location


def backend() -> int:
    """The server process that serves this thread."""
    with connections[APP].cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        found: tuple[int] = cursor.fetchone()
    return found[0]


def end(process: int, configuration: Configuration = CONFIGURATION) -> None:
    """Let the server end the connection that `process` serves, and wait until it is gone."""
    with psycopg.connect(**postgres_location(configuration).admin(), autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", [process])


@pytest.mark.req("CHAT-004")
def test_a_thread_keeps_its_connection_and_replaces_one_that_was_ended() -> None:
    async def served_by() -> list[int]:
        threads = DatabaseThreads(1)
        first, second = await threads.run(backend), await threads.run(backend)
        await asyncio.to_thread(end, second)
        third = await threads.run(backend)
        await asyncio.to_thread(threads.close)
        return [first, second, third]

    first, second, third = asyncio.run(served_by())

    assert first == second
    assert third != second


@pytest.mark.req("CHAT-004")
def test_an_error_goes_to_whoever_asked_and_the_thread_lives_on() -> None:
    def fails() -> None:
        raise ValueError("no")

    async def ask() -> int:
        threads = DatabaseThreads(1)
        with pytest.raises(ValueError, match="no"):
            await threads.run(fails)
        found = await threads.run(backend)
        await asyncio.to_thread(threads.close)
        return found

    assert asyncio.run(ask()) > 0


COUNTS = "SELECT count(*) FROM memory_namespace WHERE tenant_id = %s"
INSERTS = """
    INSERT INTO memory_namespace (tenant_id, name, records, tokens, next_number, sealed_to)
    VALUES (%s, %s, 1, 1, 2, 0)
"""


@pytest.mark.req("MEM-002")
def test_a_pipelined_transaction_reads_what_it_wrote_and_keeps_it(tenant: UUID) -> None:
    with tenant_transaction(tenant, pipelined=True), connections[APP].cursor() as cursor:
        cursor.execute(INSERTS, [tenant, "first"])
        cursor.execute(INSERTS, [tenant, "second"])
        cursor.execute(COUNTS, [tenant])
        assert cursor.fetchone() == (2,)
    assert kept(tenant) == 2


@pytest.mark.req("MEM-002")
@pytest.mark.parametrize("asks", [False, True], ids=["nothing is asked after it", "rows are asked after it"])
def test_what_fails_in_a_pipelined_transaction_is_raised_before_the_commit(tenant: UUID, asks: bool) -> None:
    with pytest.raises(DataError, match="invalid input syntax"):
        fail(tenant, asks)
    assert kept(tenant) == 0


def kept(tenant: UUID) -> int:
    with tenant_transaction(tenant), connections[APP].cursor() as cursor:
        cursor.execute(COUNTS, [tenant])
        found: tuple[int] = cursor.fetchone()
    return found[0]


def fail(tenant: UUID, asks: bool) -> None:
    with tenant_transaction(tenant, pipelined=True), connections[APP].cursor() as cursor:
        cursor.execute(INSERTS, [tenant, "first"])
        cursor.execute("SELECT %s::text::integer", ["none"])
        if asks:
            cursor.execute(COUNTS, [tenant])
            cursor.fetchone()
