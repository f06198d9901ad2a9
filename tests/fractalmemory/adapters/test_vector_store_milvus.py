"""soma.fractalmemory.adapters.vector_store_milvus"""

import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import psutil
import pytest

from soma.base.database import tenant_transaction
from soma.base.errors import InvalidInput
from soma.fractalmemory.adapters import milvus_opening, milvus_schema
from soma.fractalmemory.adapters.deadline import Deadline
from soma.fractalmemory.adapters.milvus_collection import MilvusCollection
from soma.fractalmemory.adapters.milvus_connection import MilvusConnection
from soma.fractalmemory.adapters.milvus_protocol import protocol
from soma.fractalmemory.adapters.milvus_schema import Vector, pairs
from soma.fractalmemory.adapters.milvus_terms import EPOCH, MICROSECOND
from soma.fractalmemory.adapters.vector_store_milvus import MilvusStore
from soma.fractalmemory.adapters.vector_store_pgvector import PgvectorStore
from soma.fractalmemory.api import FractalMemory, Reconciled, StoreUnavailable
from soma.project.stack.server import Server
from tests.fractalmemory.contract_vector_store import Store, VectorStoreContract
from tests.fractalmemory.contract_vector_store_outage import VectorStoreOutageContract
from tests.fractalmemory.memories import NEW_YEAR, memory, query, towards
from tests.fractalmemory.oracle import Oracle
from tests.fractalmemory.scopes import own_connection
from tests.servers import OpenServer

pytestmark = pytest.mark.req("STORE-001")


class Collection:
    """The collection under test as another client of Milvus sees it."""

    def __init__(self, url: str, name: str) -> None:
        self.url = url
        self.name = name
        self.connection = MilvusConnection(url)
        self.vectors = MilvusCollection(self.connection, name)

    def store(self) -> MilvusStore:
        """A store on it, as another process would have."""
        return MilvusStore(self.url, collection=self.name)

    def keys(self, tenant: UUID) -> list[str]:
        """The keys of the tenant's vectors."""
        return self.vectors.keys(tenant, "", 10_000, Deadline(5))

    def call(self, method: str, message: str, **values: Any) -> Any:
        """Call Milvus about the collection."""
        request = getattr(protocol().milvus, message)(collection_name=self.name, **values)
        return self.connection.call(method, request, Deadline(5))

    def drop(self) -> None:
        """Take it away with all that is in it."""
        self.call("DropCollection", "DropCollectionRequest")


@pytest.fixture
def collection(shared_server: OpenServer) -> Iterator[Collection]:
    """A collection of the test's own on the run's server."""
    collection = Collection(shared_server("milvus").address, f"test_{uuid4().hex}")
    yield collection
    collection.drop()
    collection.connection.close()


@pytest.fixture
def milvus(collection: Collection) -> Iterator[MilvusStore]:
    """A store on it."""
    store = collection.store()
    yield store
    store.close()


@pytest.fixture
def vectors(collection: Collection) -> Callable[[UUID], int]:
    """How many vectors of a tenant Milvus holds."""
    return lambda tenant: len(collection.keys(tenant))


class TestIndexed(VectorStoreContract):
    """Every memory is in Milvus."""

    @pytest.fixture
    def store(self, milvus: MilvusStore) -> Store:
        return Store(milvus, own_connection, follow=True, exact=True)


class TestOutage(VectorStoreOutageContract):
    """Milvus is lost."""

    @pytest.fixture
    def server(self, own_server: OpenServer) -> Server:
        return own_server("milvus")

    @pytest.fixture
    def store(self, server: Server) -> Iterator[Store]:
        # What is found is at issue here; when, is in tests of their own. Milvus Lite builds beside searches.
        milvus = MilvusStore(server.address, search_seconds=20.0)
        yield Store(milvus, own_connection, follow=True, exact=True)
        milvus.close()


@pytest.fixture
def store(milvus: MilvusStore) -> Store:
    """The store, with Milvus following each write."""
    return Store(milvus, own_connection, follow=True, exact=True)


def on(store: MilvusStore) -> Store:
    """`store`, with Milvus knowing what it is told expressly only."""
    return Store(store, own_connection, follow=False, exact=True)


def reconcile(store: MilvusStore, tenant: UUID) -> Reconciled:
    return FractalMemory(store).reconcile(tenant)


def test_answers_as_the_other_store_does(store: Store, tenant: UUID) -> None:
    """The same memories, the same order, the same similarities."""
    oracle = Oracle(np.random.default_rng(7), [tenant], ["n", "n/2"])
    store.put(tenant, *oracle.memories(tenant))
    for _ in range(60):
        _, asked = oracle.question()
        found = store.call(tenant, lambda m: m.search(tenant, asked))  # noqa: B023
        with tenant_transaction(tenant):
            assert PgvectorStore().search(tenant, asked) == found


def test_a_memory_is_found_before_milvus_has_heard_of_it(
    milvus: MilvusStore, collection: Collection, tenant: UUID
) -> None:
    waiting = on(milvus)
    waiting.put(tenant, memory("a", towards(0, aside=0.2)), memory("b"))
    assert waiting.keys(tenant) == ["b", "a"]
    with tenant_transaction(tenant):
        assert milvus.index(tenant, "n", 100) == 2
        assert milvus.index(tenant, "n", 100) == 0
    waiting.put(tenant, memory("c", towards(0, aside=0.1)))
    assert waiting.keys(tenant) == ["b", "c", "a"]
    assert len(collection.keys(tenant)) == 2


def test_no_text_of_a_user_reaches_milvus(store: Store, collection: Collection, tenant: UUID) -> None:
    store.put(
        tenant, memory("secret-key", namespace="secret", content="secret", provenance={"secret": "secret"})
    )
    reply = collection.call(
        "Query",
        "QueryRequest",
        expr=f"tenant == '{tenant.hex}'",
        output_fields=["key", "tenant", "namespace", "occurred_at", "facts"],
        query_params=pairs({"limit": 10}),
    )
    assert len(reply.fields_data) == 5
    assert "secret" not in str(reply)


def test_vectors_that_milvus_lost_are_found_again(
    store: Store, milvus: MilvusStore, collection: Collection, tenant: UUID
) -> None:
    store.put(tenant, *(memory(f"k{i}", towards(0, aside=0.2 * i)) for i in range(5)))
    collection.vectors.remove(collection.keys(tenant)[1:4], Deadline(5))
    assert store.keys(tenant) == ["k0", "k4"]
    assert reconcile(milvus, tenant) == Reconciled(lost=3, orphaned=0, cursor=None)
    assert store.keys(tenant) == ["k0", "k1", "k2", "k3", "k4"]
    store.follow(tenant, "n")
    assert len(collection.keys(tenant)) == 5
    assert reconcile(milvus, tenant) == Reconciled(lost=0, orphaned=0, cursor=None)


def test_vectors_of_no_memory_find_nothing_and_are_swept(
    store: Store, milvus: MilvusStore, collection: Collection, tenant: UUID, other_tenant: UUID
) -> None:
    """More of them, and nearer, than a search asks for at first; among them one of another's memory."""
    theirs = memory("theirs")
    store.put(other_tenant, theirs)
    kept = [memory(f"k{i}", towards(0, aside=1.0 + 0.1 * i)) for i in range(3)]
    store.put(tenant, *kept)
    strays = [stray(tenant) for _ in range(60)]
    collection.vectors.upsert([*strays, stray(tenant, theirs.record.id)], Deadline(5))
    assert store.keys(tenant, limit=3) == ["k0", "k1", "k2"]
    assert reconcile(milvus, tenant) == Reconciled(lost=0, orphaned=61, cursor=None)
    assert len(collection.keys(tenant)) == 3
    assert store.keys(other_tenant) == ["theirs"]


def stray(tenant: UUID, record_id: UUID | None = None) -> Vector:
    """A vector of a memory that `tenant` does not have."""
    return Vector(
        tenant_id=tenant,
        record_id=record_id or uuid4(),
        written_at=NEW_YEAR,
        namespace="n",
        occurred_at=NEW_YEAR,
        provenance={},
        values=towards(0),
    )


def test_a_vector_of_a_state_that_is_gone_ranks_nothing(
    store: Store, collection: Collection, tenant: UUID
) -> None:
    """As it is while a rewritten memory waits to be removed from Milvus in its old state."""
    store.put(tenant, memory("moved", towards(0)), memory("near", towards(0, aside=0.5)))
    unfollowed = Store(store.store, own_connection, follow=False, exact=True)
    unfollowed.put(tenant, memory("moved", towards(0, aside=1.0), content="moved"))
    assert len(collection.keys(tenant)) == 2
    assert store.keys(tenant) == ["near", "moved"]
    assert store.keys(tenant, limit=1) == ["near"]


def test_a_memory_that_is_deleted_on_its_way_leaves_nothing(
    milvus: MilvusStore, collection: Collection, tenant: UUID
) -> None:
    """Whoever deletes a memory waits for its vector to be sent, and then owes its removal."""
    sent = memory("a")
    on(milvus).put(tenant, sent)
    with ThreadPoolExecutor(1) as thread:
        with tenant_transaction(tenant):
            assert milvus.index(tenant, "n", 10) == 1
            deleting = thread.submit(on(milvus).delete, tenant, [sent.record.id])
            with pytest.raises(TimeoutError):
                deleting.result(timeout=0.3)
        assert deleting.result() == 1
    with tenant_transaction(tenant):
        assert milvus.index(tenant, "", 10) == 1
    assert collection.keys(tenant) == []


def test_memories_move_with_the_configuration(milvus: MilvusStore, store: Store, tenant: UUID) -> None:
    """What is in one index is found by a store on another at once, and taken over by it."""
    pgvector = Store(PgvectorStore(exact_rows=0), own_connection, follow=True, exact=False)
    wanted = [f"k{i}" for i in range(4)]
    pgvector.put(tenant, *(memory(key, towards(0, aside=0.2 * i)) for i, key in enumerate(wanted)))
    for each in (on(milvus), store, pgvector, store):
        assert each.keys(tenant) == wanted
        each.follow(tenant, "n")
        assert each.keys(tenant) == wanted


def test_a_collection_that_was_taken_away_is_made_and_filled_again(
    store: Store, milvus: MilvusStore, collection: Collection, tenant: UUID
) -> None:
    store.put(tenant, *(memory(f"k{i}", towards(0, aside=0.2 * i)) for i in range(3)))
    collection.drop()
    assert on(milvus).keys(tenant) == ["k0", "k1", "k2"]
    assert collection.keys(tenant) == []
    store.follow(tenant, "n")
    assert len(collection.keys(tenant)) == 3


def test_a_server_that_lost_everything_is_filled_again(own_server: OpenServer, tenant: UUID) -> None:
    server = own_server("milvus")
    store = Store(MilvusStore(server.address), own_connection, follow=True, exact=True)
    store.put(tenant, memory("a"), memory("b", towards(0, aside=0.2)))
    server.kill()
    shutil.rmtree(server.place.data)
    server.start()
    again = Store(MilvusStore(server.address), own_connection, follow=True, exact=True)
    assert again.keys(tenant) == ["a", "b"]
    again.follow(tenant, "n")
    assert len(Collection(server.address, "soma_memory").keys(tenant)) == 2


@contextmanager
def stopped(server: Server) -> Iterator[None]:
    """`server`, which takes calls and answers none."""
    assert server.record is not None
    process = psutil.Process(server.record.process.pid)
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def test_a_server_that_hangs_is_waited_for_no_longer_than_said(own_server: OpenServer, tenant: UUID) -> None:
    server = own_server("milvus")
    milvus = MilvusStore(server.address)
    store = Store(milvus, own_connection, follow=True, exact=True)
    store.put(tenant, memory("a"))
    with stopped(server):
        for _ in range(2):
            began = monotonic()
            with pytest.raises(StoreUnavailable, match=r"Milvus at .* did not answer Search within 1 s"):
                store.keys(tenant)
            assert monotonic() - began < 2.0
        assert on(milvus).put(tenant, memory("b", towards(0, aside=0.2)))  # needs no Milvus
        began = monotonic()
        with pytest.raises(StoreUnavailable, match="Milvus"):
            store.follow(tenant, "n")
        assert monotonic() - began < 6.0
    assert store.keys(tenant) == ["a", "b"]


def test_a_server_that_is_away_delays_nothing(own_server: OpenServer, tenant: UUID) -> None:
    server = own_server("milvus")
    milvus = MilvusStore(server.address)
    store = Store(milvus, own_connection, follow=True, exact=True)
    store.put(tenant, memory("a"))
    server.stop()
    with ThreadPoolExecutor(4) as threads:
        began = monotonic()
        failures = [threads.submit(store.keys, tenant).exception() for _ in range(8)]
        assert monotonic() - began < 2.0
    assert all(isinstance(failure, StoreUnavailable) for failure in failures)
    assert on(milvus).put(tenant, memory("b", namespace="fresh"))
    assert on(milvus).keys(tenant, namespace="fresh") == ["b"]  # nothing of it is in Milvus yet
    assert on(milvus).delete(tenant, [record.id for record in everything(milvus, tenant)]) == 1
    server.start()
    assert store.keys(tenant) == []


def everything(store: MilvusStore, tenant: UUID) -> Sequence[Any]:
    with tenant_transaction(tenant):
        return [scored.record for scored in PgvectorStore().search(tenant, query(towards(0)))]


def test_writers_take_turns_where_milvus_needs_it(own_server: OpenServer) -> None:
    """Milvus Lite's log is damaged by two writers at once, and a restart then loses all of it."""
    server = own_server("milvus")
    # Eight wait for one another here: what is told apart is who writes, not how soon.
    stores = {uuid4(): MilvusStore(server.address, write_seconds=60.0) for _ in range(8)}
    for tenant, store in stores.items():
        on(store).put(tenant, *(memory(f"k{i}", towards(i)) for i in range(200)))

    def send(tenant: UUID) -> None:
        with own_connection(tenant):
            stores[tenant].index(tenant, "n", 1)  # each has found the collection
        Store(stores[tenant], own_connection, follow=True, exact=True).follow(tenant, "n", page=10)

    with ThreadPoolExecutor(len(stores)) as threads:
        list(threads.map(send, stores))
    server.kill()
    server.start()
    for tenant, store in stores.items():
        assert reconcile(store, tenant) == Reconciled(lost=0, orphaned=0, cursor=None)


def test_stores_that_make_the_collection_at_once_make_one(collection: Collection) -> None:
    def use(tenant: UUID) -> UUID:
        store = collection.store()
        on(store).put(tenant, memory("a"))
        with own_connection(tenant):
            assert store.index(tenant, "n", 10) == 1
        return store._collection.identity(Deadline(5), lambda: None)

    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(use, [uuid4() for _ in range(4)]))) == 1


@pytest.mark.parametrize(
    ("dimensions", "version", "why"), [(3, 1, "3 dimensions, not 384"), (384, 99, "another version")]
)
def test_a_collection_of_another_kind_is_left_alone(
    collection: Collection,
    tenant: UUID,
    monkeypatch: pytest.MonkeyPatch,
    dimensions: int,
    version: int,
    why: str,
) -> None:
    with monkeypatch.context() as other:
        other.setattr(milvus_schema, "DIMENSIONS", dimensions)
        other.setattr(milvus_opening, "DIMENSIONS", dimensions)
        other.setattr(milvus_opening, "FORMAT", EPOCH + version * MICROSECOND)
        other_release = collection.store()
        with own_connection(tenant):
            other_release.index(tenant, "n", 1)
    ours = collection.store()
    on(ours).put(tenant, memory("a"))
    with own_connection(tenant), pytest.raises(StoreUnavailable, match=why):
        ours.index(tenant, "n", 10)
    assert on(ours).keys(tenant) == ["a"]


def test_a_wrong_address_is_said_at_once() -> None:
    with pytest.raises(InvalidInput, match=r"http://127\.0\.0\.1:19530"):
        MilvusStore("milvus:19530")
