"""What is long is put aside by its hash and comes back as it was; what is short stays where it is."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.agent.domain.shelf import INLINE_BYTES, Shelf, text_of, value_of
from soma.base.canonical import sha256_hex

pytestmark = pytest.mark.req("REPLAY-003")

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=1500),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=8,
)


@given(text=st.text(max_size=3 * INLINE_BYTES))
def test_any_text_comes_back(text: str) -> None:
    shelf = Shelf()
    assert text_of(*shelf.text(text), shelf.contents) == text


@given(value=VALUES)
def test_any_value_comes_back(value: Any) -> None:
    shelf = Shelf()
    assert value_of(*shelf.value(value), shelf.contents) == value


def test_only_what_is_long_is_put_aside() -> None:
    shelf, long = Shelf(), "é" * INLINE_BYTES
    assert shelf.text("é" * (INLINE_BYTES // 2)) == ("é" * (INLINE_BYTES // 2), None)
    assert shelf.contents == {}
    assert shelf.text(long) == (None, sha256_hex(long.encode()))
    assert shelf.value({"a": long})[0] is None
    assert len(shelf.contents) == 2


def test_nothing_is_an_output_too() -> None:
    shelf = Shelf()
    assert value_of(*shelf.value(None), shelf.contents) is None
    assert shelf.contents == {}
