"""Random relations: both stores say what the oracle says."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soma.base.ids import new_id
from soma.policy.adapters.relation_store_postgres import PostgresRelationStore
from soma.policy.adapters.relation_store_spicedb import SpiceDbRelationStore
from soma.policy.api import PermissionDecision, RelationStore
from tests.policy.relations.book import Book, whole_schema
from tests.policy.relations.oracle import Oracle

SCHEMA = whole_schema()
TENANT = new_id()
THINGS = {"group": "123", "folder": "123", "note": "1", "user": "xyz"}
SUBJECTS = ("user:x", "user:y", "group:1#member", "group:3#trusted", "folder:1")
OBJECTS = [f"{name}:{number}" for name in ("group", "folder", "note") for number in THINGS[name]]


Row = tuple[str, str, str]


def possible() -> list[Row]:
    """Every relationship that these few things can have."""
    return [
        (thing, relation, pointed)
        for thing in OBJECTS
        for relation, allowed in SCHEMA.definitions[thing.partition(":")[0]].relations.items()
        for each in sorted(allowed, key=str)
        for pointed in (
            [str(each)]
            if each.wildcard
            else [f"{each.type}:{number}#{each.relation}".rstrip("#") for number in THINGS[each.type]]
        )
    ]


def questions() -> list[Row]:
    """Every permission and relation of every thing, for everybody."""
    return [
        (thing, name, subject)
        for thing, subject in product(OBJECTS, SUBJECTS)
        for definition in [SCHEMA.definitions[thing.partition(":")[0]]]
        for name in (*definition.permissions, *definition.relations)
    ]


def goes_on(row: Row) -> bool:
    """Whether a relation leads to a thing with a higher number, so that no circle comes about."""
    thing, _, pointed = row
    return (
        pointed.startswith("user:") or thing.partition(":")[2] < pointed.partition(":")[2].partition("#")[0]
    )


GRAPHS = st.lists(st.sampled_from(possible()), unique=True, max_size=24)
WITHOUT_CIRCLES = st.lists(
    st.sampled_from([row for row in possible() if row[0] == "note:1" or goes_on(row)]),
    unique=True,
    max_size=24,
)
"""SpiceDB denies what a circle is met on the way to, even where another way leads there: which it finds
first differs."""
QUESTIONS = questions()


def decided(store: RelationStore, rows: list[Row]) -> list[PermissionDecision]:
    book, texts = Book(store, TENANT), ["{}#{}@{}".format(*row) for row in rows]
    book.write(*texts)
    try:
        return book.decide(*("{}#{}@{}".format(*question) for question in QUESTIONS))
    finally:
        book.write(delete=texts)


def expected(rows: list[Row]) -> dict[Row, bool | None]:
    oracle = Oracle(SCHEMA, rows)
    return {question: oracle.may(*question) for question in QUESTIONS}


@pytest.mark.req("AUTH-001")
@settings(max_examples=150, deadline=None)
@given(rows=GRAPHS)
def test_postgres_agrees_with_the_oracle(postgres_store: PostgresRelationStore, rows: list[Row]) -> None:
    decisions = decided(postgres_store, rows)
    got = [None if decision.failed else decision.allow for decision in decisions]
    assert dict(zip(QUESTIONS, got, strict=True)) == expected(rows)


@pytest.mark.req("AUTH-001")
@settings(max_examples=60, deadline=None)
@given(rows=WITHOUT_CIRCLES)
def test_spicedb_agrees_with_the_oracle(spicedb_store: SpiceDbRelationStore, rows: list[Row]) -> None:
    decisions = decided(spicedb_store, rows)
    assert [decision.reason for decision in decisions if decision.failed] == []
    got = [decision.allow for decision in decisions]
    assert dict(zip(QUESTIONS, got, strict=True)) == expected(rows)
