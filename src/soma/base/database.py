"""Transactions with a tenant, and the threads that run them.

Django's own `sync_to_async` runs everything on one thread with one connection, which serialises every
turn of the process. Here a fixed set of threads each keeps its connections, and coroutines hand whole
transactions to them.
"""

import asyncio
import contextvars
import functools
import select
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from django.db import connections, transaction

P = ParamSpec("P")
T = TypeVar("T")

APP = "default"
WORKER = "worker"
RETENTION = "retention"
"""The only role that may take events out of the log, and only old ones."""


@contextmanager
def tenant_transaction(tenant_id: UUID, *, using: str = APP, pipelined: bool = False) -> Iterator[None]:
    """One durable transaction that sees and writes rows of `tenant_id` only. `pipelined`: its statements are
    sent without waiting for what those before them answer, until one is asked for its rows. What one of them
    raises is raised by a later one, or at the end, and always before the commit."""
    with transaction.atomic(using=using, durable=True), _pipeline(using) if pipelined else nullcontext():
        with connections[using].cursor() as cursor:
            cursor.execute("SELECT set_config('soma.tenant_id', %s, true)", [str(tenant_id)])
        yield


@contextmanager
def _pipeline(using: str) -> Iterator[None]:
    connection = connections[using]
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


@contextmanager
def worker_transaction() -> Iterator[None]:
    """One durable transaction of the worker role, which serves every tenant."""
    with transaction.atomic(using=WORKER, durable=True):
        yield


class DatabaseThreads:
    """A fixed set of threads, each with its own database connections."""

    def __init__(self, size: int = 8) -> None:
        self._jobs: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"soma-db-{number}", daemon=True)
            for number in range(size)
        ]
        for thread in self._threads:
            thread.start()

    async def run(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function` on a database thread with this coroutine's context variables.

        Cancelling the coroutine does not interrupt a call that has begun: a transaction ends by itself.
        """
        future: Future[T] = Future()
        call = functools.partial(contextvars.copy_context().run, function, *args, **kwargs)
        self._jobs.put((future, call))
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Finish what was handed over, then end the threads and their connections."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, call = job
            if not future.set_running_or_notify_cancel():
                continue
            drop_ended_connections()
            try:
                result = call()
            except BaseException as error:  # noqa: BLE001 - it belongs to whoever awaits the future
                future.set_exception(error)
            else:
                future.set_result(result)
            finally:
                drop_broken_connections()
            del job, future, call
        connections.close_all()


def drop_ended_connections() -> None:
    """Close this thread's idle connections that the server has ended meanwhile. On an idle connection
    there is nothing to read but the end: asking the socket costs a few microseconds and no round trip,
    and spares the next transaction from failing for a server that is long back."""
    for connection in connections.all(initialized_only=True):
        raw = connection.connection
        if raw is not None and (raw.closed or _has_something_to_read(raw.fileno())):
            connection.close()


def _has_something_to_read(descriptor: int) -> bool:
    watch = select.poll()
    watch.register(descriptor, select.POLLIN)
    return bool(watch.poll(0))


def drop_broken_connections() -> None:
    """Close this thread's connections that the server or the network has ended, so that the next use
    opens a new one; a healthy connection stays."""
    for connection in connections.all(initialized_only=True):
        if connection.connection is not None and connection.connection.closed:
            connection.close()
        else:
            connection.close_if_unusable_or_obsolete()
