"""Transactions with a tenant, and the threads that run them.

Django's own `sync_to_async` runs everything on one thread with one connection, which serialises every
turn of the process. Here a fixed set of threads each keeps its connections, and coroutines hand whole
transactions to them.
"""

import asyncio
import contextvars
import functools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, TypeVar
from uuid import UUID

from django.db import connections, transaction

P = ParamSpec("P")
T = TypeVar("T")

APP = "default"
WORKER = "worker"


@contextmanager
def tenant_transaction(tenant_id: UUID, *, using: str = APP) -> Iterator[None]:
    """One durable transaction that sees and writes rows of `tenant_id` only."""
    with transaction.atomic(using=using, durable=True):
        with connections[using].cursor() as cursor:
            cursor.execute("SELECT set_config('soma.tenant_id', %s, true)", [str(tenant_id)])
        yield


@contextmanager
def worker_transaction() -> Iterator[None]:
    """One durable transaction of the worker role, which serves every tenant."""
    with transaction.atomic(using=WORKER, durable=True):
        yield


class DatabaseThreads:
    """A bounded set of threads, each with its own database connections."""

    def __init__(self, size: int = 8) -> None:
        self._executor = ThreadPoolExecutor(max_workers=size, thread_name_prefix="soma-db")

    async def run(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function` on a database thread with this coroutine's context variables."""
        call = functools.partial(contextvars.copy_context().run, function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._executor, guarded(call))

    def close(self) -> None:
        """Finish what runs, then end the threads and their connections."""
        self._executor.shutdown(wait=True)


def guarded(call: Callable[[], T]) -> Callable[[], T]:
    """`call`, dropping this thread's connections afterwards if one of them broke."""

    def run() -> T:
        try:
            return call()
        finally:
            drop_broken_connections()

    return run


def drop_broken_connections() -> None:
    """Close this thread's connections that the server or the network has ended, so that the next use
    opens a new one; a healthy connection stays."""
    for connection in connections.all(initialized_only=True):
        if connection.connection is not None and connection.connection.closed:
            connection.close()
        else:
            connection.close_if_unusable_or_obsolete()
