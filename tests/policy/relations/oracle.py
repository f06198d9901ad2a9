"""What relations permit, read off the schema in the most direct way: one question at a time, by recursion.

True, false, or None where the question comes back to itself without having been answered.
"""

from collections.abc import Collection

from soma.policy.relations.schema import Arrow, Expression, Reference, Schema

Truth = bool | None
Rows = Collection[tuple[str, str, str]]
"""Resource, relation and subject, as texts: ("group:1", "member", "user:x")."""


class Oracle:
    """Answers from `rows`, by `schema`."""

    def __init__(self, schema: Schema, rows: Rows) -> None:
        self._schema = schema
        self._rows = rows

    def may(self, resource: str, name: str, subject: str, path: tuple[str, ...] = ()) -> Truth:
        """Has `subject` the relation or permission `name` on `resource`?"""
        question = f"{resource}#{name}"
        if question == subject:
            return True
        if question in path:
            return None
        path = (*path, question)
        definition = self._schema.definitions[resource.partition(":")[0]]
        if name in definition.permissions:
            return self._holds(definition.permissions[name], resource, subject, path)
        if name not in definition.relations:
            return False
        return self._is_related(resource, name, subject, path)

    def _is_related(self, resource: str, relation: str, subject: str, path: tuple[str, ...]) -> Truth:
        truth: Truth = False
        for pointed in self._pointed(resource, relation):
            if pointed == subject or (pointed.endswith(":*") and _is_one_of(subject, pointed)):
                return True
            thing, _, name = pointed.partition("#")
            if name:
                truth = _or(truth, self.may(thing, name, subject, path))
        return truth

    def _holds(self, expression: Expression, resource: str, subject: str, path: tuple[str, ...]) -> Truth:
        if isinstance(expression, Reference):
            return self.may(resource, expression.name, subject, path)
        if isinstance(expression, Arrow):
            truth: Truth = False
            for pointed in self._pointed(resource, expression.relation):
                truth = _or(truth, self.may(pointed, expression.permission, subject, path))
            return truth
        truth, *others = (self._holds(each, resource, subject, path) for each in expression.operands)
        for other in others:
            if expression.operator == "+":
                truth = _or(truth, other)
            else:
                truth = _and(truth, other if expression.operator == "&" else _not(other))
        return truth

    def _pointed(self, resource: str, relation: str) -> list[str]:
        return [subject for thing, name, subject in self._rows if (thing, name) == (resource, relation)]


def _is_one_of(subject: str, everybody: str) -> bool:
    return "#" not in subject and subject.partition(":")[0] == everybody.partition(":")[0]


def _or(one: Truth, other: Truth) -> Truth:
    if one or other:
        return True
    return None if one is None or other is None else False


def _and(one: Truth, other: Truth) -> Truth:
    return _not(_or(_not(one), _not(other)))


def _not(truth: Truth) -> Truth:
    return None if truth is None else not truth
