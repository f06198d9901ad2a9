"""soma.brain.domain.owned_namespace"""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.base.errors import InvalidInput
from soma.brain.domain.owned_namespace import DEFAULT, owned_name, owned_namespace

pytestmark = pytest.mark.req("MEM-006", "AUTH-004")

NAMES = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,63}", fullmatch=True)


@given(st.uuids(), NAMES)
def test_a_name_is_found_again(owner: UUID, name: str) -> None:
    assert owned_name(owner, owned_namespace(owner, name)) == name


@given(st.uuids(), st.uuids(), NAMES, NAMES)
def test_nobody_reaches_anothers(one: UUID, other: UUID, mine: str, theirs: str) -> None:
    if one == other:
        assert (owned_namespace(one, mine) == owned_namespace(one, theirs)) == (mine == theirs)
    else:
        assert owned_namespace(one, mine) != owned_namespace(other, theirs)
        assert owned_name(one, owned_namespace(other, theirs)) is None


def test_the_default_is_what_chats_remember_in() -> None:
    owner = UUID(int=7)
    assert owned_namespace(owner) == owned_namespace(owner, DEFAULT) == str(owner)


@given(st.uuids(), st.text())
def test_what_is_no_name_names_nothing(owner: UUID, text: str) -> None:
    try:
        namespace = owned_namespace(owner, text)
    except InvalidInput:
        assert owned_name(owner, f"{owner}:{text}") is None
    else:
        assert owned_name(owner, namespace) == text


@pytest.mark.parametrize(
    "name",
    [
        "",
        "A",
        "a b",
        "a\n",
        "a/b",
        "a:b",
        "%",
        "a'",
        "..",
        "-a",
        ".a",
        "á",
        "a\u0430",
        "a" * 65,
        "a\0",
        "\ud800",
    ],
)
def test_names_are_plain(name: str) -> None:
    with pytest.raises(InvalidInput):
        owned_namespace(UUID(int=7), name)
