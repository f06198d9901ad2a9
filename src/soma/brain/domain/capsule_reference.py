"""How a memory capsule is named in a request."""

from dataclasses import dataclass
from uuid import UUID

from soma.base.errors import InvalidInput
from soma.base.ids import parse_id

NAMESPACE_PREFIX = "memory-capsule:"
"""Namespaces that hold capsules' memories. Nothing else is remembered there."""

MAX_CAPSULES_ASKED = 16
"""Capsules that one recall may be limited to; each costs three statements of its own and one for
each hop along links."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CapsuleReference:
    """A capsule, or one version of it."""

    id: UUID
    version: int | None = None

    @classmethod
    def parse(cls, text: str) -> "CapsuleReference":
        """The reference that `id` or `id@version` spells. Raises InvalidInput."""
        name, mark, number = text.partition("@")
        found = parse_id(name)
        well_formed = number.isascii() and number.isdecimal() and len(number) <= 10 and int(number) > 0
        if found is None or (mark and not well_formed):
            raise InvalidInput(f"{text[:100]!r} names no memory capsule; it takes ID or ID@VERSION")
        return cls(id=found, version=int(number) if mark else None)

    def __str__(self) -> str:
        return str(self.id) if self.version is None else f"{self.id}@{self.version}"


def capsule_of(namespace: str) -> str | None:
    """`id@version` of the capsule whose memories are in `namespace`; None for any other."""
    reference = namespace.removeprefix(NAMESPACE_PREFIX)
    return None if reference == namespace else reference


def namespace_of(capsule_id: UUID, version: int) -> str:
    """Where the memories of one version are."""
    return f"{NAMESPACE_PREFIX}{capsule_id}@{version}"
