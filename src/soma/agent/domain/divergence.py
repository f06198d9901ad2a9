"""Where two tellings of a turn part: the first step that differs, and how."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from soma.base.canonical_json import canonical_json

NOTHING = "(nothing)"
"""Stands for a member that is not there."""

BEFORE, AFTER = -1, 10**6

CONTEXT_LINES = 2
MOST = 50
"""So many differences of a step are listed, and four times as many lines of its diff."""
LONGEST = 2000
"""Characters of a value that are shown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """A member, by its path, that `expected` says and `found` says otherwise."""

    path: str
    expected: Any
    found: Any

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, values cut to what can be read."""
        return {"path": self.path, "expected": _short(self.expected), "found": _short(self.found)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A step of a turn. `iteration` counts from 0; what is before the first has BEFORE, what is after the
    last AFTER. `order` is the place in it."""

    iteration: int
    order: int
    name: str

    def __str__(self) -> str:
        return self.name if self.number is None else f"iteration {self.number + 1}, {self.name}"

    @property
    def number(self) -> int | None:
        """The iteration, where it is in one."""
        return self.iteration if BEFORE < self.iteration < AFTER else None

    @property
    def key(self) -> tuple[int, int]:
        """Steps in the order in which they are done."""
        return self.iteration, self.order


@dataclass(frozen=True, kw_only=True, slots=True)
class Divergence:
    """A step that is not what it should be. `between` says which two were held against each other."""

    place: Place
    between: str
    expected: Any
    found: Any

    def differences(self) -> list[Difference]:
        """What differs, member by member."""
        return list(differences(self.expected, self.found))

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, with a unified diff of the two as JSON."""
        return {
            "step": str(self.place),
            "iteration": self.place.number,
            "phase": self.place.name,
            "between": self.between,
            "differences": [each.to_dict() for each in self.differences()[:MOST]],
            "diff": diff(self.expected, self.found),
        }


def same(expected: Any, found: Any) -> bool:
    """Whether two JSON values are the same one; 1 and 1.0 are."""
    return canonical_json(expected) == canonical_json(found)


def differences(expected: Any, found: Any, path: str = "") -> Iterator[Difference]:
    """Where two JSON values differ, in the order of their members."""
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        for name in sorted({*expected, *found}):
            inner = f"{path}.{name}" if path else str(name)
            yield from differences(expected.get(name, NOTHING), found.get(name, NOTHING), inner)
    elif isinstance(expected, list) and isinstance(found, list):
        for number in range(max(len(expected), len(found))):
            yield from differences(_at(expected, number), _at(found, number), f"{path}[{number}]")
    elif not same(expected, found):
        yield Difference(path=path, expected=expected, found=found)


def diff(expected: Any, found: Any) -> list[str]:
    """A unified diff of two JSON values, one member a line."""
    lines = difflib.unified_diff(
        _lines(expected), _lines(found), "expected", "found", lineterm="", n=CONTEXT_LINES
    )
    return [line[:LONGEST] for line, _ in zip(lines, range(4 * MOST), strict=False)]


def _lines(value: Any) -> list[str]:
    """Texts line by line, so that a word that differs is seen in its line."""
    text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2).decode()
    return text.replace("\\n", "\\n\n").split("\n")


def _at(values: list[Any], number: int) -> Any:
    return values[number] if number < len(values) else NOTHING


def _short(value: Any) -> Any:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return value if len(text) <= LONGEST else f"{text[:LONGEST]}…"
