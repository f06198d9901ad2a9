"""What a schema lets be asked and written. Both adapters refuse the same before they ask anybody."""

from collections.abc import Iterable, Sequence

from soma.base.errors import InvalidInput
from soma.policy.domain.permission import PermissionCheck
from soma.policy.domain.relationship import WILDCARD, Relationship
from soma.policy.relations.schema import AllowedSubject, Schema


def problem_of(schema: Schema, check: PermissionCheck) -> str | None:
    """Why a check makes no sense in `schema`, or None when it does."""
    resource, subject = (schema.definitions.get(each.type) for each in (check.resource, check.subject))
    if resource is None or not resource.has(check.permission):
        return f"the schema has no permission {check.name}"
    if subject is None or (check.subject.relation and not subject.has(check.subject.relation)):
        return f"the schema has no subject {check.subject.type}#{check.subject.relation}".rstrip("#")
    if check.subject.id == WILDCARD:
        return "nobody in particular is asked about"
    return None


def writable(
    schema: Schema, touch: Iterable[Relationship], delete: Iterable[Relationship]
) -> tuple[Sequence[Relationship], Sequence[Relationship]]:
    """Both, each relationship once. Raises InvalidInput where the schema does not allow one, or where one
    is to be there and to be gone."""
    wanted, unwanted = dict.fromkeys(touch), dict.fromkeys(delete)
    for relationship in (*wanted, *unwanted):
        require_valid(schema, relationship)
    if both := wanted.keys() & unwanted.keys():
        raise InvalidInput(f"{min(map(str, both))} is both to be written and to be deleted")
    return tuple(wanted), tuple(unwanted)


def require_valid(schema: Schema, relationship: Relationship) -> None:
    """Raises InvalidInput where the schema does not allow the relationship."""
    definition = schema.definitions.get(relationship.resource.type)
    if definition is None or relationship.relation not in definition.relations:
        known = "" if definition is None else f"; it has {', '.join(sorted(definition.relations)) or 'none'}"
        raise InvalidInput(f"{relationship.resource.type} has no relation {relationship.relation}{known}")
    subject = relationship.subject
    pointed = AllowedSubject(type=subject.type, relation=subject.relation, wildcard=subject.id == WILDCARD)
    allowed = definition.relations[relationship.relation]
    if pointed not in allowed:
        raise InvalidInput(
            f"{relationship.resource.type}#{relationship.relation} points to"
            f" {' | '.join(sorted(map(str, allowed)))}, not to {pointed}"
        )
