"""JSON documents in the form in which rego-cpp takes them.

regopy's own conversion has traps that would be holes in a policy: a string is taken as the inside of a
JSON literal (so `"` and `\\` change its meaning), it is cut at a NUL, and an integer past 64 bits wraps
around. Here each document is checked first, and each string escaped on the way in.
"""

from typing import Any
from uuid import UUID

import orjson
from regopy import Input
from regopy.rego_shared import rego, rego_new_input

from soma.policy.adapters.input_document import document_bytes


class RegoInput(Input):  # type: ignore[misc]  # regopy has no types
    """The `input` of one decision. Raises InputNotDecidable: see document_bytes."""

    def __init__(self, document: dict[str, Any]) -> None:
        document_bytes(document)
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
        case int():
            rego.regoInputInt(target, value)
        case float():
            rego.regoInputFloat(target, value)
        case None:
            rego.regoInputNull(target)


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
