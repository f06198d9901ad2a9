"""Whether a schema that can be read makes sense as well."""

from collections.abc import Mapping

from soma.policy.relations.schema import (
    Arrow,
    Definition,
    Expression,
    Operation,
    Reference,
    SchemaRefused,
    leaves,
)

Definitions = Mapping[str, Definition]


def check_sense(definitions: Definitions) -> None:
    """Every name is known, arrows lead somewhere, no permission is made of itself. Raises SchemaRefused."""
    for definition in definitions.values():
        for relation in definition.relations:
            _check_subjects(definitions, definition, relation)
        for permission in definition.permissions:
            _check_permission(definitions, definition, permission)
            _check_exclusions(definition.permissions[permission], definition.lines[permission])
            _check_no_cycle(definition, permission)


def _check_subjects(definitions: Definitions, definition: Definition, relation: str) -> None:
    line = definition.lines[relation]
    for subject in definition.relations[relation]:
        target = definitions.get(subject.type)
        if target is None:
            raise SchemaRefused(line, f"there is no definition {subject.type}")
        if subject.relation and not target.has(subject.relation):
            raise SchemaRefused(line, f"{subject.type} has no {subject.relation}")
        if any(each.wildcard for each in target.relations.get(subject.relation, ())):
            raise SchemaRefused(line, f"{subject} may hold every subject of a type, so it cannot be a set")


def _check_permission(definitions: Definitions, definition: Definition, permission: str) -> None:
    line = definition.lines[permission]
    for leaf in leaves(definition.permissions[permission]):
        if isinstance(leaf, Arrow):
            _check_arrow(definitions, definition, leaf, line)
        elif not definition.has(leaf.name):
            raise SchemaRefused(line, f"{definition.name} has no {leaf.name}")


def _check_arrow(definitions: Definitions, definition: Definition, arrow: Arrow, line: int) -> None:
    allowed = definition.relations.get(arrow.relation)
    if allowed is None:
        raise SchemaRefused(line, f"{definition.name} has no relation {arrow.relation}, which an arrow needs")
    if any(subject.wildcard or subject.relation for subject in allowed):
        raise SchemaRefused(line, f"{arrow.relation} points not only to objects, which an arrow needs")
    if not any(definitions[subject.type].has(arrow.permission) for subject in allowed):
        raise SchemaRefused(line, f"{arrow.relation}->{arrow.permission} leads nowhere")


def _check_exclusions(expression: Expression, line: int) -> None:
    """SpiceDB (1.56: internal/namespace/canonicalization.go) forgets to negate what is taken away where
    that is an expression itself. Two permissions may look the same to its cache then, and one be answered
    with the other."""
    if not isinstance(expression, Operation):
        return
    taken_away = expression.operands[1:] if expression.operator == "-" else ()
    if any(isinstance(each, Operation) for each in taken_away):
        raise SchemaRefused(line, "what stands after - must be a name or an arrow: make it a permission")
    for operand in expression.operands:
        _check_exclusions(operand, line)


def _check_no_cycle(definition: Definition, permission: str) -> None:
    seen: set[str] = set()
    waiting = [permission]
    while waiting:
        for leaf in leaves(definition.permissions[waiting.pop()]):
            if not isinstance(leaf, Reference) or leaf.name not in definition.permissions:
                continue
            if leaf.name == permission:
                raise SchemaRefused(definition.lines[permission], f"{permission} is made of itself")
            if leaf.name not in seen:
                seen.add(leaf.name)
                waiting.append(leaf.name)
