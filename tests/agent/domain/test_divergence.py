"""Two tellings of a step are the same, or it is said where they are not."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.agent.domain.divergence import MOST, diff, differences, same

pytestmark = pytest.mark.req("REPLAY-003")

NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(value=JSON)
def test_a_value_is_the_same_as_itself(value: Any) -> None:
    assert same(value, copy.deepcopy(value))
    assert list(differences(value, copy.deepcopy(value))) == []
    assert diff(value, copy.deepcopy(value)) == []


@given(one=JSON, other=JSON)
def test_there_are_differences_exactly_where_values_are_not_the_same(one: Any, other: Any) -> None:
    assert bool(list(differences(one, other))) == (not same(one, other))


@pytest.mark.parametrize(("one", "other"), [(1, 1.0), (-0.0, 0), (1e16, 10**16), ({"a": [2.0]}, {"a": [2]})])
def test_numbers_are_the_same_however_json_spells_them(one: Any, other: Any) -> None:
    assert same(one, other)


@pytest.mark.parametrize(("one", "other"), [(1, True), (0, False), (0.1, 0.1 + 2**-53), ("1", 1), (None, {})])
def test_what_only_looks_alike_is_not_the_same(one: Any, other: Any) -> None:
    assert not same(one, other)


def test_each_difference_is_named_by_its_path() -> None:
    found = list(differences({"a": {"b": [1, 2]}, "c": 1}, {"a": {"b": [1, 3, 4]}}))
    assert [(each.path, each.expected, each.found) for each in found] == [
        ("a.b[1]", 2, 3),
        ("a.b[2]", "(nothing)", 4),
        ("c", 1, "(nothing)"),
    ]


def test_a_diff_shows_lines_of_a_text_and_is_not_endless() -> None:
    lines = diff({"content": "one\ntwo\nthree"}, {"content": "one\ntoo\nthree"})
    assert "-two\\n" in lines and "+too\\n" in lines
    assert len(diff(list(range(10_000)), list(range(1, 10_001)) * 2)) <= 4 * MOST
