"""Database threads keep their connections, and none outlives its server side."""

import asyncio

import psycopg
import pytest
from django.db import connections

from soma.base.configuration import Configuration
from soma.base.database import APP, DatabaseThreads
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
