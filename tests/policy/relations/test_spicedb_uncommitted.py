"""A write reaches SpiceDB before its transaction is committed: no check is ever answered by such a write.

The stores here have no thread that brings SpiceDB level: who holds the lock, and when, is the test's to say.
"""

import re
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime
from queue import SimpleQueue
from typing import Self
from uuid import UUID, uuid4

import pytest
from authzed.api.v1 import CheckBulkPermissionsRequest, Consistency, InsecureClient, ZedToken
from django.db import connections, transaction

from soma.base.database import APP, tenant_transaction
from soma.policy.adapters import relation_revisions
from soma.policy.adapters import spicedb_ledger as ledger
from soma.policy.adapters.relation_revisions import Revision
from soma.policy.adapters.relation_store_spicedb import SpiceDbRelationStore
from soma.policy.adapters.spicedb_messages import answer
from soma.policy.api import PermissionDecision
from soma.project.stack.server import Server
from tests.events.waiting import wait_until
from tests.policy.relations.book import PATIENT_MS, Book
from tests.policy.relations.contract_relation_store import WORLD
from tests.policy.relations.spicedb import EagerSpiceDb
from tests.servers import OpenServer, obtained

pytestmark = pytest.mark.req("AUTH-001")

GRANT, GRANTED = "conversation:1#participant@user:gus", "conversation:1#write@user:gus"
CHANGES = pytest.mark.parametrize(
    ("add", "take", "check", "before"),
    [
        (GRANT, "", GRANTED, False),
        ("", "conversation:1#participant@user:pat", "conversation:1#write@user:pat", True),
    ],
    ids=["grant", "revocation"],
)
STATEMENTS = 8
"""More than a check makes that does not wait."""
SHORT_MS = 300.0
Open = Callable[..., Book]


@pytest.fixture(scope="module", params=["memory", "postgres"])
def server(
    request: pytest.FixtureRequest, shared_server: OpenServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """SpiceDB with each of the places where it may keep its relations."""
    url = shared_server("postgres").address if request.param == "postgres" else ""
    kind = EagerSpiceDb(url, f"own_{uuid4().hex}")
    server = obtained(Server(kind, tmp_path_factory.mktemp("spicedb")))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def open_book(server: Server, tenant: UUID) -> Iterator[Open]:
    """Opens stores that only ask and write."""
    opened: list[SpiceDbRelationStore] = []

    def book(*, deadline_ms: float = PATIENT_MS) -> Book:
        store = SpiceDbRelationStore(*reached_by(server), deadline_ms=deadline_ms)
        opened.append(store)
        return Book(store, tenant)

    yield book
    for store in opened:
        store.close()


@pytest.fixture
def world(open_book: Open) -> Book:
    """A tenant whose permissions SpiceDB gives."""
    book = open_book()
    book.write(*WORLD)
    return book


class Held:
    """A transaction of somebody else's, who holds the tenant's lock. It ends with `end`."""

    def __init__(self, book: Book, *, add: str = "", take: str = "") -> None:
        self._book, self._add, self._take = book, add, take
        self._begun, self._end = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._begun.wait(20)
        return self

    def __exit__(self, *ended: object) -> None:
        self.end()

    def end(self) -> None:
        """Commit."""
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        with tenant_transaction(self._book.tenant):
            relation_revisions.locked(self._book.tenant)
            if self._add or self._take:
                write(self._book, self._add, self._take)
            self._begun.set()
            self._end.wait(60)
        connections.close_all()


def write(book: Book, add: str, take: str) -> None:
    """Write and delete in the transaction that is open."""
    book.store.write(book.tenant, touch=book.parsed(*add.split()), delete=book.parsed(*take.split()))


def roll_back(book: Book, add: str, take: str) -> None:
    """Write and delete, and think better of it."""
    with tenant_transaction(book.tenant):
        write(book, add, take)
        transaction.set_rollback(True, using=APP)


def committed(book: Book) -> Revision:
    """How far SpiceDB has followed, as far as anybody may know."""
    with tenant_transaction(book.tenant):
        return relation_revisions.current(book.tenant)


def reached_by(server: Server) -> tuple[str, str]:
    """The server's address, and the token that it asks for."""
    variables = server.environment
    return variables["SOMAGENT_SPICEDB_ADDRESS"], variables["SOMAGENT_SPICEDB_TOKEN"]


def require_ahead(server: Server, book: Book) -> None:
    """Make sure that SpiceDB, asked as checks ask it, answers from one write too many."""
    revision = committed(book)
    question = CheckBulkPermissionsRequest(
        consistency=Consistency(at_least_as_fresh=ZedToken(token=revision.zed_token)),
        items=ledger.questions(book.tenant, revision),
    )
    pairs = InsecureClient(*reached_by(server)).CheckBulkPermissions(question).pairs
    assert [answer(each) for each in pairs] == [False, True]


def keep_token(book: Book, token: str) -> None:
    """Let the revision's token be another one."""
    revision = committed(book)
    with tenant_transaction(book.tenant):
        relation_revisions.keep(book.tenant, replace(revision, zed_token=token))


def expired(token: str) -> str:
    """The token of a snapshot of 2001, of a server that keeps its relations in memory."""
    long_ago, times = re.subn(rb"\d{19}", b"1" + b"0" * 18, b64decode(token))
    assert times == 1
    return b64encode(long_ago).decode()


class Checking:
    """One check in a thread of its own, whose statements can be watched."""

    def __init__(self, book: Book, check: str) -> None:
        self._book, self._check = book, check
        self._backend: SimpleQueue[int] = SimpleQueue()
        self._pool = ThreadPoolExecutor(1)
        self._decision = self._pool.submit(self._run)
        self._pid = self._backend.get(timeout=20)
        self._seen: set[datetime] = set()

    @property
    def waits(self) -> bool:
        """Whether it has looked at the database more often than it would without waiting."""
        with tenant_transaction(self._book.tenant), connections[APP].cursor() as cursor:
            cursor.execute("SELECT query_start FROM pg_stat_activity WHERE pid = %s", [self._pid])
            self._seen.update(when for (when,) in cursor.fetchall())
        return len(self._seen) > STATEMENTS

    def decision(self) -> PermissionDecision:
        """What it came to."""
        with self._pool:
            return self._decision.result()

    def _run(self) -> PermissionDecision:
        try:
            with tenant_transaction(self._book.tenant):
                self._backend.put(connections[APP].connection.info.backend_pid)
                return self._book.decide_here(self._check)[0]
        finally:
            connections.close_all()


@pytest.mark.parametrize("held", [True, False], ids=["while somebody holds the lock", "when nobody does"])
@CHANGES
def test_what_was_rolled_back_is_no_answer(
    server: Server, world: Book, add: str, take: str, check: str, before: bool, held: bool
) -> None:
    roll_back(world, add, take)
    require_ahead(server, world)
    with Held(world) if held else nullcontext():
        decision = world.decide(check)[0]
    assert (decision.allow, decision.failed) == (before, False)


@CHANGES
def test_what_is_not_committed_yet_is_no_answer(
    server: Server, world: Book, add: str, take: str, check: str, before: bool
) -> None:
    with Held(world, add=add, take=take) as writer:
        require_ahead(server, world)
        early = world.decide(check, "conversation:1#write@user:ann")
        writer.end()
        late = world.decide(check, "conversation:1#write@user:ann")
    assert [each.allow for each in (*early, *late)] == [before, True, not before, True]
    assert not any(each.failed for each in (*early, *late))


def test_where_the_snapshot_is_another_one_there_is_no_answer(
    server: Server, world: Book, open_book: Open
) -> None:
    earlier = committed(world).zed_token
    world.write("conversation:1#participant@user:oba")
    keep_token(world, earlier)
    with Held(world, add=GRANT):
        require_ahead(server, world)
        decision = open_book(deadline_ms=SHORT_MS).decide(GRANTED)[0]
    assert (decision.allow, decision.failed) == (False, True)
    assert decision.reason.endswith("spicedb is not level with the database yet.")


@pytest.mark.parametrize("server", ["memory"], indirect=True)
def test_where_the_snapshot_is_no_more_there_is_no_answer(
    server: Server, world: Book, open_book: Open
) -> None:
    keep_token(world, expired(committed(world).zed_token))
    roll_back(world, GRANT, "")
    require_ahead(server, world)
    assert world.decide(GRANTED)[0].failed
    with Held(world):
        assert open_book(deadline_ms=SHORT_MS).decide(GRANTED)[0].failed


@pytest.mark.parametrize("server", ["memory"], indirect=True)
def test_where_the_snapshot_is_no_more_the_writer_is_waited_for(server: Server, world: Book) -> None:
    keep_token(world, expired(committed(world).zed_token))
    with Held(world, add=GRANT) as writer:
        checking = Checking(world, GRANTED)
        wait_until(lambda: checking.waits)
        writer.end()
        assert checking.decision().allow


def test_where_spicedb_is_level_a_check_costs_one_statement(server: Server, world: Book) -> None:
    statements: list[str] = []

    def counted(execute: Callable[..., object], sql: str, *arguments: object) -> object:
        statements.append(sql)
        return execute(sql, *arguments)

    with tenant_transaction(world.tenant), connections[APP].execute_wrapper(counted):
        assert world.decide_here("conversation:1#write@user:ann")[0].allow
    assert statements == [relation_revisions.SELECT]
