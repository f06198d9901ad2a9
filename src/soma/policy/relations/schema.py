"""A relation schema as it was understood."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from soma.base.errors import InvalidInput
from soma.policy.domain.relationship import WILDCARD


class SchemaRefused(InvalidInput):
    """The schema says what we do not understand, or what makes no sense. Names the line."""

    code = "relation_schema_refused"
    title = "The relation schema cannot be used"

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}", line=line)


@dataclass(frozen=True, kw_only=True, slots=True)
class AllowedSubject:
    """What a relation may point to: a `user`, every user (`user:*`) or a set of them (`tenant#guest`)."""

    type: str
    relation: str = ""
    wildcard: bool = False

    def __str__(self) -> str:
        if self.wildcard:
            return f"{self.type}:{WILDCARD}"
        return f"{self.type}#{self.relation}" if self.relation else self.type


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """A relation or permission of the same object."""

    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrow:
    """`relation->permission`: the permission on any object that the relation points to."""

    relation: str
    permission: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """`+` any of the operands, `&` all of them, `-` the first without the others."""

    operator: str
    operands: tuple["Expression", ...]


Expression = Reference | Arrow | Operation


def leaves(expression: Expression) -> Iterator[Reference | Arrow]:
    """The references and arrows of an expression, from left to right."""
    if isinstance(expression, Operation):
        for operand in expression.operands:
            yield from leaves(operand)
    else:
        yield expression


@dataclass(frozen=True, kw_only=True, slots=True)
class Definition:
    """A type of object, its relations and its permissions. `lines` says where each begins."""

    name: str
    relations: Mapping[str, frozenset[AllowedSubject]]
    permissions: Mapping[str, Expression]
    lines: Mapping[str, int]

    def has(self, name: str) -> bool:
        """Whether `name` can be checked on an object of this type."""
        return name in self.relations or name in self.permissions


@dataclass(frozen=True, kw_only=True, slots=True)
class Schema:
    """Definitions by name, and the text that they were read from."""

    definitions: Mapping[str, Definition]
    text: str

    def same_as(self, other: "Schema") -> bool:
        """Whether both mean the same, however they are written."""
        return _meaning(self) == _meaning(other)


def _meaning(schema: Schema) -> dict[str, object]:
    return {
        name: (dict(definition.relations), dict(definition.permissions))
        for name, definition in schema.definitions.items()
    }
