"""Canonical JSON at speed says what RFC 8785 says."""

import math
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given, settings
from hypothesis import strategies as st

from soma.base.canonical import json_bytes, json_value
from soma.base.canonical_json import canonical_json

pytestmark = pytest.mark.req("AUDIT-001")

TEXT = st.text(st.characters(codec="utf-8")) | st.sampled_from(
    [
        'a:1.0,"',
        "e-7,",
        "e+16]",
        "\\",
        "\\.0,",
        '":-0.0}',
        "\ufeff\uffff",
        "\U00010000",
        "\x7f\u2028\x01\b\f/",
    ]
)
NUMBERS = (
    st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(10**6), 10**6).map(float)
    | st.sampled_from([-0.0, 1e-5, 1e-6, 1e-7, 1e15, 1e16, 1e17, 1e20, 1e21, 5e-324, 2.0**60])
)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=30,
)


@settings(max_examples=500, deadline=None)
@given(JSON)
@example({"\U00010000": 1.0, "\ufeff": 2.0, "": []})
@example({"a": "a:1.0,", "b": 1.0})
@example({"a": "\\", "b": [1.0, -0.0, 0.0]})
def test_it_is_rfc_8785(value: Any) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


@settings(max_examples=300, deadline=None)
@given(JSON)
def test_what_is_written_and_read_again_has_the_same_form(value: Any) -> None:
    assert canonical_json(json_value(json_bytes(value))) == canonical_json(value)
    assert canonical_json(json_value(canonical_json(value))) == canonical_json(value)


@given(st.integers(-(2**63), 2**64 - 1), st.integers(-(2**63), 2**64 - 1))
def test_no_two_integers_have_the_same_form(one: int, two: int) -> None:
    assert canonical_json({"n": one}) == b'{"n":%d}' % one
    assert (canonical_json([one]) == canonical_json([two])) is (one == two)


@pytest.mark.parametrize(
    ("number", "text"),
    [  # RFC 8785, appendix B
        (0.0, b"0"),
        (-0.0, b"0"),
        (5e-324, b"5e-324"),
        (-5e-324, b"-5e-324"),
        (1.7976931348623157e308, b"1.7976931348623157e+308"),
        (9007199254740992.0, b"9007199254740992"),
        (295147905179352830000.0, b"295147905179352830000"),
        (9.999999999999997e22, b"9.999999999999997e+22"),
        (1e23, b"1e+23"),
        (999999999999999700000.0, b"999999999999999700000"),
        (333333333.3333332, b"333333333.3333332"),
        (-0.0000033333333333333333, b"-0.0000033333333333333333"),
        (1424953923781206.2, b"1424953923781206.2"),
    ],
)
def test_numbers_of_the_standard(number: float, text: bytes) -> None:
    assert math.isfinite(number)
    assert canonical_json([number]) == b"[%s]" % text
