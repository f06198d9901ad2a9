"""JSON documents in the form in which rego-cpp takes them.

regopy's own conversion has traps that would be holes in a policy: a string is taken as the inside of a
JSON literal (so `"` and `\\` change its meaning), it is cut at a NUL, and an integer past 64 bits wraps
around. Here each value is checked and each string escaped on the way in.
"""

import math
from typing import Any
from uuid import UUID

import orjson
from regopy import Input
from regopy.rego_shared import rego, rego_new_input

from soma.policy.errors import InputNotDecidable

MAXIMUM_BYTES = 65_536
LARGEST_INTEGER = 2**53 - 1
"""The largest integer that every JSON reader agrees on."""


class RegoInput(Input):  # type: ignore[misc]  # regopy has no types
    """The `input` of one decision.

    `document` holds strings, finite numbers, booleans, None, UUIDs, dictionaries with string keys, lists
    and tuples, at most 64 KiB as JSON. Raises InputNotDecidable.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        try:
            size = len(orjson.dumps(document))
        except orjson.JSONEncodeError as error:
            raise InputNotDecidable(f"The policy input is not JSON: {error}.") from error
        if size > MAXIMUM_BYTES:
            raise InputNotDecidable(f"The policy input has {size} bytes; the limit is {MAXIMUM_BYTES}.")
        self._impl = rego_new_input()
        _put(self._impl, document)


def _put(target: int, value: Any) -> None:
    match value:
        case str():
            rego.regoInputString(target, orjson.dumps(value)[1:-1])
        case bool():
            rego.regoInputBoolean(target, value)
        case UUID():
            rego.regoInputString(target, str(value).encode())
        case dict():
            _put_mapping(target, value)
        case list() | tuple():
            _put_sequence(target, value)
        case int() | float():
            _put_number(target, value)
        case None:
            rego.regoInputNull(target)
        case _:
            raise InputNotDecidable(f"A policy input cannot hold a {type(value).__name__}.")


def _put_mapping(target: int, items: dict[str, Any]) -> None:
    for key, value in items.items():
        rego.regoInputString(target, orjson.dumps(key)[1:-1])
        _put(target, value)
        rego.regoInputObjectItem(target)
    rego.regoInputObject(target, len(items))


def _put_sequence(target: int, items: list[Any] | tuple[Any, ...]) -> None:
    for value in items:
        _put(target, value)
    rego.regoInputArray(target, len(items))


def _put_number(target: int, value: float) -> None:
    if not math.isfinite(value) or abs(value) > LARGEST_INTEGER:
        raise InputNotDecidable("A policy input holds a number past 2^53 - 1 or not finite.")
    if isinstance(value, int):
        rego.regoInputInt(target, value)
    else:
        rego.regoInputFloat(target, value)
