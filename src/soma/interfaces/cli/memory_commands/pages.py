"""Long work, a page at a time."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def pages(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """`items` in order, `size` at a time."""
    rest = iter(items)
    while page := list(islice(rest, size)):
        yield page
