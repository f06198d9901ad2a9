"""What every VectorStore must do when its server is lost and comes back. Subclassed like
VectorStoreContract."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from threading import Event, Thread
from typing import Self, TypeVar
from uuid import UUID

import pytest
from django.db import InterfaceError, OperationalError

from soma.fractalmemory.api import StoreUnavailable
from soma.project.stack.server import Server
from tests.events.waiting import wait_until
from tests.fractalmemory.contract_vector_store import Store
from tests.fractalmemory.memories import memory, towards

T = TypeVar("T")
LOST = (StoreUnavailable, OperationalError, InterfaceError)


@dataclass
class Writer:
    """Stores memories one after the other, whatever happens to the server, and keeps what was committed."""

    store: Store
    tenant: UUID
    committed: list[str] = field(default_factory=list)
    failures: int = 0
    _stop: Event = field(default_factory=Event)

    def __enter__(self) -> Self:
        self._thread = Thread(target=self._write)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _write(self) -> None:
        for number in count():
            if self._stop.is_set():
                return
            key = f"k{number}"
            try:
                self.store.call(self.tenant, lambda m: m.upsert(self.tenant, [memory(key)]))  # noqa: B023
                self.committed.append(key)
                self.store.follow(self.tenant, "n")
            except LOST:
                self.failures += 1


@pytest.mark.req("STORE-001")
class VectorStoreOutageContract:
    """Needs fixtures `server` (a Server that the test may end), `store` (a Store on it that follows) and
    `tenant`."""

    def test_what_was_committed_is_found_after_the_server_was_killed(
        self, store: Store, server: Server, tenant: UUID
    ) -> None:
        store.put(tenant, *(memory(f"k{i}", towards(0, aside=0.2 * i)) for i in range(5)))
        before = store.search(tenant, towards(0))
        server.kill()
        with pytest.raises(LOST):
            store.search(tenant, towards(0))
        server.start()
        assert _as_soon_as_possible(lambda: store.search(tenant, towards(0))) == before
        store.put(tenant, memory("later"))
        assert len(store.search(tenant, towards(0))) == 6

    def test_nothing_that_was_committed_is_lost_when_it_is_killed_while_it_works(
        self, store: Store, server: Server, tenant: UUID
    ) -> None:
        with Writer(store, tenant) as writer:
            wait_until(lambda: len(writer.committed) >= 20)
            server.kill()
            wait_until(lambda: writer.failures > 0)
            server.start()
            reached = len(writer.committed)
            wait_until(lambda: len(writer.committed) >= reached + 20)
        _as_soon_as_possible(lambda: store.follow(tenant, "n"))
        found = [scored.record.key for scored in store.search(tenant, towards(0), limit=10_000)]
        assert len(found) == len(set(found))
        assert set(writer.committed) <= set(found)
        # A commit that was cut off may have succeeded all the same.
        assert len(found) <= len(writer.committed) + writer.failures


def _as_soon_as_possible(use: Callable[[], T]) -> T:
    """What `use` gives once the client has found the server again."""
    results: list[T] = []

    def succeeds() -> bool:
        with suppress(*LOST):
            results.append(use())
        return bool(results)

    wait_until(succeeds)
    return results[0]
