"""What every RelationStore must do. A technology's test module subclasses RelationStoreContract."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from django.db import connections

from soma.base.database import tenant_transaction
from soma.base.errors import InvalidInput, SomaError
from soma.base.ids import new_id
from soma.policy.api import RelationshipFilter, RelationStore
from tests.policy.relations.book import Book
from tests.policy.relations.cases import Case, read_cases

PEOPLE = ("olga", "otto", "oba", "gus", "ann", "pat", "nina")
WORLD = (
    "tenant:{tenant}#owner@user:olga",
    "tenant:{tenant}#operator@user:otto",
    "tenant:{tenant}#observer@user:oba",
    "tenant:{tenant}#guest@user:gus",
    "tenant:{tenant}#guest@user:ann",
    "tenant:{tenant}#guest@user:pat",
    "agent:soma#tenant@tenant:{tenant}",
    "agent:soma#invoker@tenant:{tenant}#converse",
    "conversation:1#tenant@tenant:{tenant}",
    "conversation:1#agent@agent:soma",
    "conversation:1#owner@user:ann",
    "conversation:1#participant@user:pat",
    "capability:calculator#tenant@tenant:{tenant}",
)
"""A tenant with somebody of each role, and a conversation of ann's that pat takes part in."""

HELD = {
    "tenant:{tenant}#administer": "olga",
    "tenant:{tenant}#operate": "olga otto",
    "tenant:{tenant}#observe": "olga otto oba",
    "tenant:{tenant}#converse": "olga otto gus ann pat",
    "tenant:{tenant}#execute": "olga otto gus ann pat",
    "tenant:{tenant}#belong": "olga otto oba gus ann pat",
    "agent:soma#use": "olga otto gus ann pat",
    "agent:soma#manage": "olga otto",
    "conversation:1#take_part": "ann pat",
    "conversation:1#read": "olga otto ann pat",
    "conversation:1#write": "ann pat",
    "conversation:1#send": "ann pat",
    "conversation:1#cancel": "olga otto ann pat",
    "conversation:1#share": "olga ann",
    "conversation:1#delete": "olga ann",
    "capability:calculator#execute": "olga otto gus ann pat",
    "capability:calculator#manage": "olga otto",
    "conversation:2#read": "",
    "conversation:2#write": "",
}
"""Who has which permission in WORLD: every permission of schema.zed."""


def named(case: Case) -> str:
    """How a case is called in pytest's report."""
    return case.name.replace(" ", "-")


@pytest.mark.req("AUTH-001")
class RelationStoreContract:
    """Needs fixtures `store` (a RelationStore on book.whole_schema, with patience), `tenant` and
    `other_tenant`."""

    @pytest.fixture
    def book(self, store: RelationStore, tenant: UUID) -> Book:
        return Book(store, tenant)

    @pytest.fixture
    def other(self, store: RelationStore, other_tenant: UUID) -> Book:
        return Book(store, other_tenant)

    @pytest.fixture
    def world(self, book: Book) -> Book:
        book.write(*WORLD)
        return book

    def test_every_permission_is_had_by_those_whom_the_schema_gives_it(self, world: Book) -> None:
        checks = [(permission, person) for permission in HELD for person in PEOPLE]
        decisions = world.decide(*(f"{permission}@user:{person}" for permission, person in checks))
        allowed = {check for check, decision in zip(checks, decisions, strict=True) if decision.allow}
        assert allowed == {(permission, person) for permission in HELD for person in HELD[permission].split()}

    @pytest.mark.parametrize("case", read_cases("cases_world.txt"), ids=named)
    def test_what_becomes_of_the_world(self, world: Book, case: Case) -> None:
        world.write(*case.add, delete=case.take)
        self._holds(world, case)

    @pytest.mark.parametrize("case", read_cases("cases_things.txt"), ids=named)
    def test_operators_sets_and_arrows(self, book: Book, case: Case) -> None:
        book.write(*case.add)
        self._holds(book, case)

    def test_a_decision_says_why_and_by_whom(self, world: Book, store: RelationStore) -> None:
        allowed, denied = world.decide("conversation:1#write@user:ann", "conversation:1#write@user:gus")
        assert (allowed.allow, denied.allow) == (True, False)
        assert {allowed.engine, denied.engine} == {store.engine}
        assert allowed.reason == "relations.conversation:write: permitted."
        assert denied.reason.startswith("relations.conversation:write: no relation ")
        assert not allowed.failed
        assert not denied.failed
        assert 0 < allowed.latency_ms < 10_000
        assert store.fault is None

    def test_a_bulk_answers_in_order_whatever_else_is_in_it(self, world: Book) -> None:
        decisions = world.decide(
            "conversation:1#write@user:ann",
            "conversation:1#nonsense@user:ann",
            "conversation:1#write@user:nina",
            "conversation:1#write@user:ann",
            "nonsense:1#write@user:ann",
            "tenant:{tenant}#guest@user:ann",
        )
        assert [each.allow for each in decisions] == [True, False, False, True, False, True]
        assert [each.failed for each in decisions] == [False, True, False, False, True, False]

    def test_an_empty_bulk(self, book: Book) -> None:
        assert book.decide() == []

    @pytest.mark.parametrize(
        ("check", "reason"),
        [
            ("conversation:1#nonsense@user:ann", "no permission conversation:nonsense"),
            ("nonsense:1#write@user:ann", "no permission nonsense:write"),
            ("conversation:1#write@nonsense:ann", "no subject nonsense"),
            ("conversation:1#write@tenant:{tenant}#nonsense", "no subject tenant#nonsense"),
            ("conversation:1#write@user:*", "nobody in particular"),
        ],
    )
    def test_what_the_schema_does_not_know_is_denied(self, world: Book, check: str, reason: str) -> None:
        assert reason in world.reason(check)

    @pytest.mark.parametrize(
        "relation",
        [
            "conversation:1#nonsense@user:ann",
            "nonsense:1#owner@user:ann",
            "conversation:1#owner@nonsense:ann",
            "conversation:1#owner@user:*",
            "conversation:1#owner@tenant:{tenant}#guest",
            "conversation:1#write@user:ann",
            "tenant:{tenant}#owner@agent:soma",
            "agent:soma#invoker@tenant:{tenant}",
        ],
    )
    def test_what_the_schema_does_not_allow_is_not_written(self, world: Book, relation: str) -> None:
        with pytest.raises(InvalidInput):
            world.write(relation)
        with pytest.raises(InvalidInput):
            world.write(delete=[relation])

    def test_one_relation_is_not_written_and_deleted_at_once(self, book: Book) -> None:
        with pytest.raises(InvalidInput, match="both"):
            book.write("group:a#member@user:x", delete=["group:a#member@user:x"])

    def test_writing_and_deleting_twice_is_the_same_as_once(self, book: Book) -> None:
        relation = "group:a#member@user:x"
        book.write(relation, relation)
        book.write(relation)
        assert book.may(relation)
        book.write(delete=[relation, relation])
        book.write(delete=[relation])
        assert not book.may(relation)

    def test_what_is_deleted_counts_no_more_at_once(self, world: Book) -> None:
        for _ in range(5):
            world.write(delete=["conversation:1#participant@user:pat"])
            assert not world.may("conversation:1#write@user:pat")
            world.write("conversation:1#participant@user:pat")
            assert world.may("conversation:1#write@user:pat")

    def test_other_threads_see_at_once_what_was_committed(self, world: Book) -> None:
        def may(check: str) -> bool:
            try:
                return world.may(check)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(1) as pool:
            for number in range(5):
                world.write("conversation:1#participant@tenant:{tenant}#belong")
                assert pool.submit(may, "conversation:1#write@user:gus").result()
                world.write(delete=["conversation:1#participant@tenant:{tenant}#belong"])
                assert not pool.submit(may, "conversation:1#write@user:gus").result(), number

    def test_a_transaction_sees_its_own_writes(self, world: Book, store: RelationStore) -> None:
        with tenant_transaction(world.tenant):
            store.write(world.tenant, touch=world.parsed("conversation:1#participant@user:gus"))
            assert world.decide_here("conversation:1#write@user:gus")[0].allow
            store.write(world.tenant, delete=world.parsed("conversation:1#participant@user:gus"))
            assert not world.decide_here("conversation:1#write@user:gus")[0].allow

    @pytest.mark.parametrize(
        ("add", "take", "check", "before"),
        [
            ("conversation:1#participant@user:gus", "", "conversation:1#write@user:gus", False),
            ("", "conversation:1#participant@user:pat", "conversation:1#write@user:pat", True),
        ],
    )
    def test_what_is_rolled_back_never_was(
        self, world: Book, store: RelationStore, add: str, take: str, check: str, before: bool
    ) -> None:
        def write_and_fail() -> None:
            with tenant_transaction(world.tenant):
                store.write(
                    world.tenant, touch=world.parsed(*add.split()), delete=world.parsed(*take.split())
                )
                raise SomaError("on second thoughts")

        with pytest.raises(SomaError, match="on second thoughts"):
            write_and_fail()
        decision = world.decide_until_level(check)
        assert decision.allow is before
        world.write("group:a#member@user:x")
        assert world.may(check) is before

    def test_reads_what_was_written(self, world: Book, store: RelationStore) -> None:
        def read(limit: int = 100, **wanted: str) -> list[str]:
            with tenant_transaction(world.tenant):
                found = store.read(world.tenant, RelationshipFilter(**wanted), limit=limit)
            return [str(each).replace(str(world.tenant), "{tenant}") for each in found]

        assert sorted(read()) == sorted(WORLD)
        assert read() == sorted(read())
        assert read(limit=2) == read()[:2]
        assert read(resource_type="agent", relation="tenant") == ["agent:soma#tenant@tenant:{tenant}"]
        assert read(resource_type="conversation", resource_id="2") == []
        assert sorted(read(subject_type="user", subject_id="ann")) == [
            "conversation:1#owner@user:ann",
            "tenant:{tenant}#guest@user:ann",
        ]

    def test_another_tenants_relations_never_count(self, world: Book, other: Book) -> None:
        checks = [f"{permission}@user:{person}" for permission in HELD for person in PEOPLE]
        assert not any(decision.allow for decision in other.decide(*checks))
        other.write(*WORLD, "conversation:1#participant@user:gus")
        assert other.may("conversation:1#write@user:gus")
        assert not world.may("conversation:1#write@user:gus")
        other.write(delete=["conversation:1#owner@user:ann"])
        assert world.may("conversation:1#write@user:ann")

    def test_everybody_is_everybody_of_the_tenant(self, book: Book, other: Book) -> None:
        book.write("folder:f#everyone@user:*")
        assert book.may("folder:f#read@user:x")
        assert not other.may("folder:f#read@user:x")

    def test_an_operator_of_another_tenant_is_nobody(self, world: Book, other: Book) -> None:
        other.write("tenant:{tenant}#owner@user:eve")
        assert not world.may("conversation:1#read@user:eve")
        world.write("conversation:1#participant@user:eve", "agent:soma#invoker@user:eve")
        assert not world.may("conversation:1#read@user:eve")

    def test_a_tenants_object_is_not_related_by_another_one(self, world: Book, other: Book) -> None:
        with tenant_transaction(other.tenant), pytest.raises(Exception, match="row-level security"):
            world.store.write(world.tenant, touch=world.parsed("conversation:1#participant@user:eve"))
        assert not world.decide_until_level("conversation:1#participant@user:eve").allow

    def test_a_check_in_another_tenants_transaction_finds_nothing(self, world: Book, other: Book) -> None:
        with tenant_transaction(other.tenant):
            assert not world.decide_here("conversation:1#write@user:ann")[0].allow
        assert world.may("conversation:1#write@user:ann")

    def test_ids_that_begin_alike_are_different(self, book: Book) -> None:
        book.write("folder:acme#owner@user:x", "folder:acme-corp#owner@user:y")
        asked = [f"folder:{name}#read@user:{who}" for name in ("acme", "acme-corp", "acm") for who in "xy"]
        assert [each.allow for each in book.decide(*asked)] == [True, False, False, True, False, False]

    def test_every_letter_that_an_id_may_have(self, book: Book) -> None:
        strange = "aZ09_|=+-" + "x" * 119
        book.write(f"folder:{strange}#owner@user:{strange}")
        assert book.may(f"folder:{strange}#read@user:{strange}")
        assert not book.may(f"folder:{strange}#read@user:{strange[:-1]}")
        assert not book.may(f"folder:{strange.lower()}#read@user:{strange}")

    def test_circles_end(self, book: Book) -> None:
        book.write(
            "group:a#member@group:b#member",
            "group:b#member@group:c#member",
            "group:c#member@group:a#member",
            "group:b#member@user:x",
            "folder:f#parent@folder:g",
            "folder:g#parent@folder:f",
            "folder:g#owner@user:x",
            "group:d#member@user:x",
            "group:d#banned@group:e#member",
            "group:e#member@group:e#member",
        )
        assert book.may("group:a#member@user:x")
        assert book.may("group:c#member@user:x")
        assert book.may("folder:f#read@user:x")
        assert not book.may("group:a#member@user:y")
        assert not book.may("folder:f#read@user:y")
        # Who is in a group that contains itself and nobody else? No answer is no permission.
        assert not book.may("group:d#trusted@user:x")

    @pytest.mark.parametrize(("levels", "allowed"), [(49, True), (51, False), (70, False)])
    def test_sets_are_followed_fifty_deep(self, book: Book, levels: int, allowed: bool) -> None:
        chain = [f"group:{level}#member@group:{level + 1}#member" for level in range(1, levels)]
        book.write(*chain, f"group:{levels}#member@user:x")
        decision = book.decide("group:1#member@user:x")[0]
        assert decision.allow is allowed
        assert decision.failed is not allowed

    @pytest.mark.parametrize(("levels", "allowed"), [(48, True), (51, False)])
    def test_arrows_are_followed_fifty_deep(self, book: Book, levels: int, allowed: bool) -> None:
        chain = [f"folder:{level}#parent@folder:{level + 1}" for level in range(1, levels)]
        book.write(*chain, f"folder:{levels}#owner@user:x")
        assert book.may("folder:1#read@user:x") is allowed

    def test_many_relations_at_once(self, book: Book) -> None:
        book.write(*(f"group:big#member@user:u{number}" for number in range(2500)))
        book.write("folder:f#owner@group:big#trusted")
        assert book.may("folder:f#read@user:u0")
        assert book.may("folder:f#read@user:u2499")
        assert not book.may("folder:f#read@user:u2500")
        book.write(delete=[f"group:big#member@user:u{number}" for number in range(2500)])
        assert not book.may("folder:f#read@user:u2499")

    def test_many_sets_in_a_set(self, book: Book) -> None:
        book.write(*(f"group:all#member@group:g{number}#member" for number in range(300)))
        book.write("group:g299#member@user:x")
        assert book.may("group:all#member@user:x")
        assert not book.may("group:all#member@user:y")

    def test_writers_of_one_tenant_at_once(self, book: Book) -> None:
        def write(number: int) -> None:
            try:
                book.write(f"group:g{number}#member@user:x", "group:all#member@user:x")
            finally:
                connections.close_all()

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(write, range(16)))
        checks = [f"group:g{number}#member@user:x" for number in range(16)]
        assert all(decision.allow for decision in book.decide(*checks))

    def test_synchronising_changes_nothing_that_is_right(self, world: Book, store: RelationStore) -> None:
        with tenant_transaction(world.tenant):
            done = store.synchronise(world.tenant)
        assert done.relationships == len(WORLD)
        assert (done.touched, done.deleted, done.schema_written) == (0, 0, False)
        assert world.may("conversation:1#write@user:ann")

    def test_a_tenant_without_relations_permits_nothing(self, store: RelationStore) -> None:
        assert not Book(store, new_id()).may("conversation:1#write@user:ann")

    def _holds(self, book: Book, case: Case) -> None:
        decisions = book.decide(*case.yes, *case.no)
        got = {
            str(each.check.resource) + each.check.permission + str(each.check.subject) for each in decisions
        }
        assert len(got) == len(decisions)
        allowed = [text for text, each in zip([*case.yes, *case.no], decisions, strict=True) if each.allow]
        assert allowed == case.yes
