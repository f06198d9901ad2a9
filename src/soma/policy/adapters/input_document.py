"""What a policy can be asked about, the same whichever engine decides.

JSON leaves open what a number past 2^53 or a lone surrogate means, and each engine fills the gap in its own
way; a policy must not depend on that. What is not plain JSON is refused before any engine sees it.
rego-cpp keeps six decimals of a number and no more, which could make a small amount nothing; so a finer one
is refused as well, and whoever asks rounds it.
"""

import math
from typing import Any
from uuid import UUID

import orjson

from soma.policy.errors import InputNotDecidable

MAXIMUM_BYTES = 65_536
LARGEST_INTEGER = 2**53 - 1
"""The largest integer that every JSON reader agrees on."""
DECIMALS = 6


def document_bytes(document: dict[str, Any]) -> bytes:
    """`document` as JSON.

    It holds strings, numbers of at most six decimals, booleans, None, UUIDs, dictionaries with string keys,
    lists and tuples, at most 64 KiB as JSON. Raises InputNotDecidable.
    """
    try:
        text = orjson.dumps(document)
    except orjson.JSONEncodeError as error:
        raise InputNotDecidable(f"The policy input is not JSON: {error}.") from error
    if len(text) > MAXIMUM_BYTES:
        raise InputNotDecidable(f"The policy input has {len(text)} bytes; the limit is {MAXIMUM_BYTES}.")
    _check(document)
    return text


def _check(value: Any) -> None:
    match value:
        case str() | bool() | UUID() | None:
            pass
        case dict():
            for item in value.values():
                _check(item)
        case list() | tuple():
            for item in value:
                _check(item)
        case int() | float():
            if not math.isfinite(value) or abs(value) > LARGEST_INTEGER:
                raise InputNotDecidable("A policy input holds a number past 2^53 - 1 or not finite.")
            if isinstance(value, float) and float(f"{value:.{DECIMALS}f}") != value:
                raise InputNotDecidable(f"A policy input holds a number of more than {DECIMALS} decimals.")
        case _:
            raise InputNotDecidable(f"A policy input cannot hold a {type(value).__name__}.")
