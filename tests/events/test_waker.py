"""A waiting thread hears of calls, notifications and the end of its time, and misses none."""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import psycopg
import pytest

from soma.events.waker import Waker, Wakers

pytestmark = pytest.mark.req("PERSIST-002")

LONG = 60.0


@pytest.fixture
def waker() -> Iterator[Waker]:
    waker = Waker()
    yield waker
    waker.close()


@pytest.fixture
def listener(superuser: psycopg.Connection) -> Iterator[psycopg.Connection]:
    with psycopg.connect(superuser.info.dsn, autocommit=True) as connection:
        connection.execute("LISTEN soma_waker_test")
        yield connection


def waiting(waker: Waker, connection: psycopg.Connection | None, results: list[bool]) -> threading.Thread:
    thread = threading.Thread(target=lambda: results.append(waker.wait(connection, LONG)))
    thread.start()
    return thread


def test_a_call_ends_the_wait_that_runs(waker: Waker) -> None:
    results: list[bool] = []
    thread = waiting(waker, None, results)
    waker.wake()
    thread.join(LONG)
    assert results == [True]


def test_a_call_before_the_wait_is_not_lost(waker: Waker) -> None:
    waker.wake()
    waker.wake()
    assert waker.wait(None, LONG)
    assert not waker.wait(None, 0), "two calls before a wait are one"


def test_the_wait_ends_by_itself(waker: Waker) -> None:
    assert not waker.wait(None, 0.01)


def test_a_notification_ends_the_wait(
    waker: Waker, listener: psycopg.Connection, superuser: psycopg.Connection
) -> None:
    results: list[bool] = []
    thread = waiting(waker, listener, results)
    superuser.execute("NOTIFY soma_waker_test")
    thread.join(LONG)
    assert results == [False], "it was notified, not called"


def test_a_notification_that_came_with_another_answer_is_not_lost(
    waker: Waker, listener: psycopg.Connection, superuser: psycopg.Connection
) -> None:
    superuser.execute("NOTIFY soma_waker_test")
    listener.execute("SELECT 1")
    started = time.monotonic()
    waker.wait(listener, LONG)
    assert time.monotonic() - started < LONG / 2


def test_the_loss_of_the_connection_ends_the_wait(
    waker: Waker, listener: psycopg.Connection, superuser: psycopg.Connection
) -> None:
    superuser.execute("SELECT pg_terminate_backend(%s)", [listener.info.backend_pid])
    started = time.monotonic()
    with suppress(psycopg.OperationalError):
        waker.wait(listener, LONG)
    assert time.monotonic() - started < LONG / 2
    listener.close()


def test_no_call_is_lost_under_many_callers(waker: Waker) -> None:
    """Whoever adds to the work and calls finds it done: after the last call there is always a round."""
    work, done = [0] * 4, threading.Event()

    def caller(place: int) -> None:
        for _ in range(2000):
            work[place] += 1
            waker.wake()

    def worker() -> None:
        while sum(work) < 8000:
            waker.wait(None, LONG)
        done.set()

    threads = [threading.Thread(target=caller, args=(place,)) for place in range(4)]
    threads.append(threading.Thread(target=worker))
    for thread in threads:
        thread.start()
    assert done.wait(LONG / 2)
    for thread in threads:
        thread.join()


def test_only_members_are_woken_and_a_closed_one_harms_nobody(waker: Waker) -> None:
    wakers, gone, closed = Wakers(), Waker(), Waker()
    for member in (waker, gone, closed):
        wakers.add(member)
    wakers.discard(gone)
    closed.close()
    wakers.wake()
    assert waker.wait(None, 0)
    assert not gone.wait(None, 0)
    gone.close()
