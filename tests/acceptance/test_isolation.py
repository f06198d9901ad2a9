"""Ten thousand attempts to see, change or notice what is another tenant's or another user's."""

import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import DatabaseError, connections, transaction

from soma.base.database import APP, tenant_transaction
from soma.base.errors import InvalidInput
from soma.base.ids import new_id
from soma.brain.adapters.embedder_minilm import MiniLmEmbedder
from soma.brain.adapters.embedder_recent import RecentEmbedder
from soma.brain.api import Brain, RecallFilter, RecallRequest, owned_namespace
from soma.fractalmemory.adapters.link_store_postgres import PostgresLinkStore
from soma.fractalmemory.adapters.vector_store_pgvector import PgvectorStore
from soma.fractalmemory.api import FractalMemory, Link, LinkKey, MemoryGraph
from tests.acceptance.isolation_world import START, Fact, Place, item, state, world

pytestmark = [pytest.mark.req("AUTH-004"), pytest.mark.req("MEM-006"), pytest.mark.timeout(900)]

PROBES = 10_000
SEED = 20_260_101
THREADS = 4
TENANTS, USERS = 4, 2

HOSTILE = (
    "%", "_", "' OR '1'='1", "'; DELETE FROM memory_record; --", "\\", "\\'", "%(tenant)s", "{conditions}",
    "default\n", "DEFAULT", "d\u0435fault", "\uff44efault", "default ", "../default", "*", "a:b", "$1",
    "x" * 65, "",
)  # fmt: skip
"""Names, keys and values that would widen a badly written query, and some that only look like a name."""

MEMORY_TABLES = """
    SELECT relname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'tenant_id'
    WHERE relkind IN ('r', 'p') AND relname LIKE 'memory\\_%%' ORDER BY relname
"""


@pytest.fixture(scope="module")
def brain(tmp_path_factory: pytest.TempPathFactory) -> Brain:
    """The brain as an installation has it; queries come from a pool and are embedded once."""
    embedder = RecentEmbedder(MiniLmEmbedder(tmp_path_factory.mktemp("models")))
    return Brain(FractalMemory(PgvectorStore()), embedder)


@pytest.fixture(scope="module")
def places(brain: Brain) -> list[Place]:
    """The world, told."""
    return world(brain, [new_id() for _ in range(TENANTS)], USERS)


class Probes:
    """The attempts of one thread, from places of its own; each asserts that nothing foreign came back and
    that what is one's own did."""

    def __init__(self, brain: Brain, places: Sequence[Place], own: Sequence[Place], seed: int) -> None:
        self._brain = brain
        self._places = places
        self._own = own
        self._rng = random.Random(seed)
        self._graph = MemoryGraph(PostgresLinkStore())
        self.made: Counter[str] = Counter()

    def run(self, count: int) -> Counter[str]:
        """Make `count` attempts of all kinds, those that read more often than those that write."""
        kinds: list[Callable[[Place, Place], None]] = [
            *[self.recall_what_is_anothers] * 5, self.recall_with_anothers_provenance,
            self.recall_in_anothers_namespace, self.recall_in_a_hostile_namespace, self.recall_as_of,
            self.recall_with_hostile_filters, *[self.get_anothers] * 4, *[self.forget_anothers] * 2,
            self.forget_anothers_namespace, *[self.list_namespaces] * 2, self.export, self.link,
            self.write_under_the_same_key, self.name_a_hostile_namespace, self.forget_by_tenant,
        ]  # fmt: skip
        try:
            for _ in range(count):
                probe = self._rng.choice(kinds)
                place = self._rng.choice(self._own)
                probe(place, self._rng.choice(self._others(place, probe)))
                self.made[probe.__name__] += 1
        finally:
            connections.close_all()
        return self.made

    def _others(self, place: Place, probe: Callable[[Place, Place], None]) -> list[Place]:
        """Whom the attempt may aim at: other tenants, other users, or also other namespaces of one's own."""
        if probe == self.forget_by_tenant:
            return [each for each in self._places if each.tenant_id != place.tenant_id]
        if probe in (self.forget_anothers, self.write_under_the_same_key):
            return [each for each in self._places if not self._same_owner(each, place)]
        return [each for each in self._places if each is not place]

    def recall_what_is_anothers(self, place: Place, other: Place) -> None:
        mine, theirs = self._fact(place), self._fact(other)
        self._recalled(place, theirs.content)
        assert mine.record_id in self._recalled(place, mine.content)

    def recall_with_anothers_provenance(self, place: Place, other: Place) -> None:
        mine, theirs = self._fact(place), self._fact(other)
        fields = {"mark": other.mark, "conversation_id": f"c-{other.mark}", "session": theirs.session}
        name = self._rng.choice(sorted(fields))
        assert self._recalled(place, theirs.content, only=_provenance(name, fields[name])) == []
        found = self._recalled(place, mine.content, only=_provenance("session", mine.session, theirs.session))
        assert mine.record_id in found
        assert {place.facts[each].session for each in found} == {mine.session}

    def recall_in_anothers_namespace(self, place: Place, other: Place) -> None:
        """Named by its inner name, from a tenant that has users with the same ids, or from none."""
        mine, theirs = self._fact(place), self._fact(other)
        elsewhere = owned_namespace(new_id(), other.name)
        assert self._asked(place.tenant_id, elsewhere, theirs.content) == []
        assert self._asked(new_id(), other.namespace, theirs.content) == []
        assert mine.record_id in self._recalled(place, mine.content)

    def recall_in_a_hostile_namespace(self, place: Place, other: Place) -> None:
        hostile = self._rng.choice(HOSTILE).replace("\0", "")
        mine = self._fact(place)
        for namespace in (
            hostile,
            f"{place.owner_id}:{hostile}",
            f"{place.owner_id} ",
            str(place.owner_id)[:-1] + "%",
        ):
            assert self._asked(place.tenant_id, namespace, mine.content) == []
        assert mine.record_id in self._recalled(place, mine.content)

    def recall_as_of(self, place: Place, other: Place) -> None:
        mine = self._fact(place)
        moment = START + timedelta(hours=self._rng.uniform(-1, 11))
        found = self._recalled(place, mine.content, as_of=moment)
        assert (mine.record_id in found) == (mine.occurred_at <= moment)
        assert all(place.facts[each].occurred_at <= moment for each in found)

    def recall_with_hostile_filters(self, place: Place, other: Place) -> None:
        hostile = self._rng.choice(HOSTILE) or "%"
        mine = self._fact(place)
        for only in (
            _provenance("mark", hostile),
            _provenance(hostile, other.mark),
            RecallFilter(speakers=(hostile,)),
            RecallFilter(roles=(hostile,)),
        ):
            assert self._recalled(place, mine.content, only=only) == []
        known = RecallFilter(speakers=("Ada", hostile), roles=("user",))
        assert mine.record_id in self._recalled(place, mine.content, only=known)

    def get_anothers(self, place: Place, other: Place) -> None:
        mine, theirs = self._fact(place), self._fact(other)
        guessed = [UUID(int=theirs.record_id.int ^ 1 << self._rng.randrange(62)), new_id()]
        asked = [theirs.record_id, mine.record_id, *guessed]
        self._rng.shuffle(asked)
        wanted = [each for each in asked if self._may_see(place, each)]
        found = self._brain.get(place.tenant_id, place.owner_id, asked)
        assert [each.record_id for each in found] == wanted
        assert mine.record_id in wanted
        assert mine.content in {each.content for each in found}

    def forget_anothers(self, place: Place, other: Place) -> None:
        theirs = self._fact(other)
        scratch = self._scratch(place)
        assert self._brain.forget_own(place.tenant_id, place.owner_id, [theirs.record_id, new_id()]) == 0
        asked = [theirs.record_id, scratch]
        assert self._brain.forget_own(place.tenant_id, place.owner_id, asked) == 1
        (there,) = self._brain.get(other.tenant_id, other.owner_id, [theirs.record_id])
        assert there.content == theirs.content
        assert self._brain.get(place.tenant_id, place.owner_id, [scratch]) == []

    def forget_by_tenant(self, place: Place, other: Place) -> None:
        """The brain's own deletion goes by the tenant alone."""
        theirs = self._fact(other)
        assert self._brain.forget(place.tenant_id, [theirs.record_id]) == 0
        assert self._brain.forget(place.tenant_id, [self._scratch(place), theirs.record_id]) == 1
        assert len(self._brain.get(other.tenant_id, other.owner_id, [theirs.record_id])) == 1

    def forget_anothers_namespace(self, place: Place, other: Place) -> None:
        """By the other's name for it, as somebody who has nothing there."""
        stranger = new_id()
        assert self._brain.forget_namespace(place.tenant_id, stranger, other.name) == 0
        assert self._brain.forget_namespace(new_id(), other.owner_id, other.name) == 0
        theirs = self._fact(other)
        assert len(self._brain.get(other.tenant_id, other.owner_id, [theirs.record_id])) == 1

    def list_namespaces(self, place: Place, other: Place) -> None:
        sizes = self._brain.namespaces(place.tenant_id, place.owner_id)
        mine = [each for each in self._places if self._same_owner(each, place)]
        assert [size.name for size in sizes] == sorted(each.name for each in mine)
        for size, each in zip(sizes, sorted(mine, key=lambda each: each.name), strict=True):
            assert len(each.facts) <= size.memories <= len(each.facts) + 1  # a scratch may be there
        assert self._brain.namespaces(new_id(), other.owner_id) == []

    def export(self, place: Place, other: Place) -> None:
        header, *lines = map(json.loads, self._brain.export(place.tenant_id, place.owner_id, place.name))
        records = [line for line in lines if line["line"] == "record" and line["key"] != "scratch"]
        assert header["namespace"] == place.name
        assert {line["provenance"]["mark"] for line in records} == {place.mark}
        assert sorted(line["content"] for line in records) == sorted(f.content for f in place.told)
        assert len(list(self._brain.export(new_id(), other.owner_id, other.name))) == 1

    def link(self, place: Place, other: Place) -> None:
        theirs, (mine, more) = self._fact(other), self._rng.sample(place.told, 2)
        foreign = place.tenant_id != other.tenant_id
        with tenant_transaction(place.tenant_id):
            for source, target in ((mine, theirs), (theirs, mine)):
                stored = self._graph.link(place.tenant_id, [_link(source, target)]) if foreign else 0
                assert stored == 0
            assert self._graph.link(place.tenant_id, [_link(mine, more)]) == 1
            near = {each.record_id for each in self._graph.neighbours(place.tenant_id, [mine.record_id], 100)}
            assert near <= set(place.facts)
            assert more.record_id in near
            if foreign:
                assert self._graph.neighbours(place.tenant_id, [theirs.record_id], 100) == []

    def write_under_the_same_key(self, place: Place, other: Place) -> None:
        """Everybody has this key; whoever writes it writes their own."""
        written = self._scratch(place)
        (mine,) = self._brain.get(place.tenant_id, place.owner_id, [written])
        assert (mine.key, mine.namespace, mine.provenance["mark"]) == ("scratch", place.name, place.mark)
        assert self._brain.get(other.tenant_id, other.owner_id, [written]) == []

    def name_a_hostile_namespace(self, place: Place, other: Place) -> None:
        inner = [f"{other.owner_id}:{other.name}", f":{other.name}", f"{other.namespace}\n"]
        name = self._rng.choice([*HOSTILE, *inner])
        for use in (
            lambda: self._brain.forget_namespace(place.tenant_id, place.owner_id, name),
            lambda: list(self._brain.export(place.tenant_id, place.owner_id, name)),
            lambda: self._brain.importing(place.tenant_id, place.owner_id, name),
        ):
            with pytest.raises(InvalidInput):
                use()
        mine = self._fact(place)
        (there,) = self._brain.get(place.tenant_id, place.owner_id, [mine.record_id])
        assert there.content == mine.content

    def _fact(self, place: Place) -> Fact:
        return self._rng.choice(place.told)

    def _scratch(self, place: Place) -> UUID:
        """A memory of `place` to be forgotten again, under a key that all places use."""
        content = f"A note of {place.mark} on {self._rng.randrange(50)}."
        written = replace(item(place.namespace, place.mark, 0, content), key="scratch")
        done = self._brain.remember(place.tenant_id, [written])
        (kept,) = (*done.stored, *done.deduplicated)
        return kept.record_id

    def _recalled(self, place: Place, query: str, **changes: object) -> list[UUID]:
        """What `place` recalls: its own, and of that none with a secret of another's."""
        found = self._asked(place.tenant_id, place.namespace, query, **changes)
        assert {mark for _, mark in found} <= {place.mark}
        own = [record_id for record_id, _ in found if record_id in place.facts]
        scratch = len(found) - len(own)
        assert scratch <= 1, "memories of nobody came back"
        return own

    def _asked(
        self, tenant_id: UUID, namespace: str, query: str, **changes: object
    ) -> list[tuple[UUID, str]]:
        request = RecallRequest(
            tenant_id=tenant_id,
            agent_id=None,
            namespace=namespace,
            query=query,
            top_k=self._rng.choice((5, 20, 100)),
            min_score=0.0,
            kinds=None,
        )
        found = self._brain.recall(replace(request, **changes))  # type: ignore[arg-type]
        assert {each.tenant_id for each in found.evidence} <= {tenant_id}
        return [(each.record_id, str(each.provenance["mark"])) for each in found.evidence]

    def _may_see(self, place: Place, record_id: UUID) -> bool:
        return any(record_id in each.facts for each in self._places if self._same_owner(each, place))

    def _same_owner(self, one: Place, other: Place) -> bool:
        return (one.tenant_id, one.owner_id) == (other.tenant_id, other.owner_id)


def _provenance(name: str, *values: str) -> RecallFilter:
    return RecallFilter(provenance={name: values})


def _link(source: Fact, target: Fact) -> Link:
    key = LinkKey(source_id=source.record_id, target_id=target.record_id, kind="near")
    return Link(key=key, conductance=0.5, created_at=START)


def test_ten_thousand_probes_find_nothing_of_anybody_else(brain: Brain, places: list[Place]) -> None:
    before = {place.mark: state(brain, place) for place in places}
    hands = [Probes(brain, places, places[number::THREADS], SEED + number) for number in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as pool:
        made = sum(pool.map(lambda each: each.run(PROBES // THREADS), hands), Counter[str]())
    links = {place.mark: [line for line in state(brain, place) if b'"link"' in line] for place in places}
    after = {place.mark: state(brain, place) for place in places}
    for mark, lines in before.items():
        assert [line for line in after[mark] if line not in links[mark]] == lines, mark
    assert made.total() == PROBES
    assert len(made) == 15
    print(f"\n{made.total()} probes, no leak: {dict(made.most_common())}")


def test_the_database_shows_no_tenant_another_even_without_the_application(
    brain: Brain, places: list[Place]
) -> None:
    for tenant_id in {place.tenant_id for place in places}:
        own = next(place for place in places if place.tenant_id == tenant_id)
        fact, more = own.told[:2]
        with tenant_transaction(tenant_id):
            MemoryGraph(PostgresLinkStore()).link(tenant_id, [_link(fact, more)])
    tenant, other = places[0].tenant_id, places[-1].tenant_id
    with connections[APP].cursor() as cursor:
        cursor.execute(MEMORY_TABLES)
        tables = [name for (name,) in cursor.fetchall()]
        assert {"memory_record", "memory_passage", "memory_namespace", "memory_link"} <= set(tables)
        for table in tables:
            cursor.execute(f"SELECT count(*) FROM {table}")
            assert cursor.fetchone() == (0,), f"{table} without a tenant"
    for table in tables:
        with tenant_transaction(tenant), connections[APP].cursor() as cursor:
            cursor.execute(f"SELECT count(*) FILTER (WHERE tenant_id <> %s), count(*) FROM {table}", [tenant])
            foreign, seen = cursor.fetchone() or (None, None)
            assert foreign == 0, table
            assert seen or table not in {"memory_record", "memory_passage", "memory_namespace", "memory_link"}
            for write in (f"UPDATE {table} SET tenant_id = tenant_id", f"DELETE FROM {table}"):
                # A statement that the role may not make at all is refused, which is as good.
                with suppress(DatabaseError), transaction.atomic(APP):
                    cursor.execute(f"{write} WHERE tenant_id = %s", [other])
                    assert cursor.rowcount == 0, write
            if seen:
                with pytest.raises(DatabaseError), transaction.atomic(APP):
                    cursor.execute(f"UPDATE {table} SET tenant_id = %s", [other])
