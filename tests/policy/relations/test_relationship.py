"""Relationships as texts, and what an id may be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.base.errors import InvalidInput
from soma.base.ids import new_id
from soma.policy.api import ObjectRef, Relationship, SubjectRef

pytestmark = pytest.mark.req("AUTH-001")

HOSTILE = [
    "", " ", "a b", "a/b", "../x", "/", "é", "日本", "a\x00b", "a'b", 'a"b', "a;DROP TABLE relation", "a:b",
    "a#b", "a@b", "*", "a\n", "\ta", "a*", "a" * 129,
]  # fmt: skip


@pytest.mark.parametrize("key", HOSTILE)
def test_hostile_ids_are_refused(key: str) -> None:
    with pytest.raises(InvalidInput):
        ObjectRef(type="conversation", id=key)
    with pytest.raises(InvalidInput):
        Relationship.parse(f"conversation:{key}#owner@user:ann")
    if key != "*":
        with pytest.raises(InvalidInput):
            SubjectRef(type="user", id=key)


@pytest.mark.parametrize(
    "name", ["", "a", "ab", "User", "user name", "user/name", "1user", "user_", "ü" * 3, "x" * 65]
)
def test_types_and_relations_are_names(name: str) -> None:
    with pytest.raises(InvalidInput):
        ObjectRef(type=name, id="1")
    with pytest.raises(InvalidInput):
        SubjectRef(type=name, id="1")
    with pytest.raises(InvalidInput):
        Relationship(
            resource=ObjectRef(type="doc", id="1"), relation=name, subject=SubjectRef(type="user", id="1")
        )


@pytest.mark.parametrize(
    "text",
    [
        "conversation:0198a5ee-0000-7000-8000-000000000000#owner@user:ann",
        "agent:soma#invoker@tenant:1#converse",
        "capability:calculator#barred@user:*",
    ],
)
def test_texts_are_read_and_written_alike(text: str) -> None:
    assert str(Relationship.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", "conversation:1", "conversation:1#owner", "conversation:1@user:ann", "conversation#owner@user:ann",
     "conversation:1#owner@user", "conversation:1#owner@user:ann#", "conversation:1#owner@user:*#guest",
     "conversation:*#owner@user:ann", "conversation:1#owner@user:ann@user:bob"],
)  # fmt: skip
def test_what_is_no_relationship_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        Relationship.parse(text)


def test_rows_give_their_own_ids() -> None:
    key = new_id()
    assert str(ObjectRef.of("conversation", key)) == f"conversation:{key}"
    assert str(SubjectRef.of("user", key)) == f"user:{key}"


NAMES = st.text(min_size=1, max_size=20)


@given(one=NAMES, other=NAMES)
def test_any_name_makes_an_id_of_its_own(one: str, other: str) -> None:
    ids = ObjectRef.named("capability", one).id, ObjectRef.named("capability", other).id
    assert (ids[0] == ids[1]) is (one == other)


@pytest.mark.parametrize(
    ("name", "key"),
    [("calculator", "calculator"), ("memory_recall", "memory_recall"), ("a.b", "=YS5i"),
     ("=YS5i", "=PVlTNWk"), ("rechnen/ü", "=cmVjaG5lbi_DvA")],
)  # fmt: skip
def test_names_that_are_ids_stay_what_they_are(name: str, key: str) -> None:
    assert ObjectRef.named("capability", name).id == key
