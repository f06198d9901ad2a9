"""Putting aside what is too long for a row or a record, by its hash."""

from collections.abc import Mapping
from typing import Any

from soma.base.canonical import json_bytes, json_value, sha256_hex

INLINE_BYTES = 2048
"""Longest text, or JSON value, that stands in a row itself: PostgreSQL moves longer ones out of it anyway."""


class Shelf:
    """Takes what is long and gives its hash; `contents` are what it has taken, by hash."""

    def __init__(self, limit: int = INLINE_BYTES) -> None:
        self._limit = limit
        self.contents: dict[str, bytes] = {}

    def text(self, text: str) -> tuple[str | None, str | None]:
        """The text itself, or the hash under which it was put aside: one of the two is None."""
        data = text.encode()
        return (text, None) if len(data) <= self._limit else (None, self.put(data))

    def value(self, value: Any) -> tuple[Any, str | None]:
        """The same for a JSON value; one without a hash is there, whatever it is."""
        data = json_bytes(value)
        return (value, None) if len(data) <= self._limit else (None, self.put(data))

    def put(self, data: bytes) -> str:
        """Put `data` aside; its SHA-256, 64 hex digits."""
        name = sha256_hex(data)
        self.contents[name] = data
        return name


def text_of(text: str | None, name: str | None, contents: Mapping[str, bytes]) -> str:
    """The inverse of Shelf.text. Raises KeyError for a content that is not in `contents`."""
    return contents[name].decode() if name else text or ""


def value_of(value: Any, name: str | None, contents: Mapping[str, bytes]) -> Any:
    """The inverse of Shelf.value. Raises KeyError."""
    return json_value(contents[name]) if name else value
