"""The rows of relationships in Postgres: the truth, whoever answers from it.

SQL, because every request asks it, and because the ORM has no words for a set of rows that is looked up
by whole keys, or written and deleted at once. All of it runs inside the tenant's open transaction.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import connections

from soma.base.database import APP
from soma.policy.domain.relationship import ObjectRef, Relationship, RelationshipFilter, SubjectRef
from soma.policy.models import RelationRow
from soma.policy.relations.evaluation import Needs, Place, Row

FIND = """
    SELECT object_type, object_id, relation, subject_type, subject_id, subject_relation
    FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
         AS wanted (object_type, object_id, relation, subject_type, subject_id, subject_relation)
    JOIN relation
    USING (object_type, object_id, relation, subject_type, subject_id, subject_relation)
    WHERE tenant_id = %s
"""
FOLLOW = """
    SELECT object_type, object_id, relation, subject_type, subject_id, subject_relation
    FROM unnest(%s::text[], %s::text[], %s::text[]) AS wanted (object_type, object_id, relation)
    JOIN relation USING (object_type, object_id, relation)
    WHERE tenant_id = %s AND subject_relation {} ''
"""
INSERT = """
    INSERT INTO relation
           (tenant_id, object_type, object_id, relation, subject_type, subject_id, subject_relation)
    SELECT %s, * FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
    ON CONFLICT DO NOTHING
"""
DELETE = """
    DELETE FROM relation USING unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
           AS gone (object_type, object_id, relation, subject_type, subject_id, subject_relation)
    WHERE tenant_id = %s AND relation.object_type = gone.object_type AND relation.object_id = gone.object_id
      AND relation.relation = gone.relation AND relation.subject_type = gone.subject_type
      AND relation.subject_id = gone.subject_id AND relation.subject_relation = gone.subject_relation
"""


def fetch(tenant_id: UUID, needs: Needs) -> list[Row]:
    """The rows that meet `needs`, by one statement."""
    parts: list[str] = []
    values: list[Any] = []
    for statement, wanted, columns in (
        (FIND, needs.exact, 6),
        (FOLLOW.format(">"), needs.sets, 3),
        (FOLLOW.format("="), needs.objects, 3),
    ):
        if wanted:
            parts.append(statement)
            values += [*_columns(wanted, columns), tenant_id]
    with connections[APP].cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), values)
        rows: list[Row] = cursor.fetchall()
    return rows


def change(tenant_id: UUID, touch: Sequence[Relationship], delete: Sequence[Relationship]) -> None:
    """Insert and delete, each by one statement; what is there, or gone, already stays so."""
    with connections[APP].cursor() as cursor:
        if touch:
            cursor.execute(INSERT, [tenant_id, *_columns(map(row_of, touch), 6)])
        if delete:
            cursor.execute(DELETE, [*_columns(map(row_of, delete), 6), tenant_id])


def select(
    tenant_id: UUID, wanted: RelationshipFilter, *, limit: int | None = None
) -> tuple[Relationship, ...]:
    """The relationships that agree with `wanted`, in the order of their key."""
    given = {
        "object_type": wanted.resource_type,
        "object_id": wanted.resource_id,
        "relation": wanted.relation,
        "subject_type": wanted.subject_type,
        "subject_id": wanted.subject_id,
    }
    rows = RelationRow.objects.filter(
        tenant_id=tenant_id, **{name: value for name, value in given.items() if value is not None}
    ).order_by("object_type", "object_id", "relation", "subject_relation", "subject_type", "subject_id")
    names = ("object_type", "object_id", "relation", "subject_type", "subject_id", "subject_relation")
    return tuple(map(relationship_of, rows.values_list(*names)[:limit]))


def count(tenant_id: UUID) -> int:
    """How many relationships the tenant has."""
    return RelationRow.objects.filter(tenant_id=tenant_id).count()


def row_of(relationship: Relationship) -> Row:
    """A relationship as the columns of its row."""
    resource, subject = relationship.resource, relationship.subject
    return (resource.type, resource.id, relationship.relation, subject.type, subject.id, subject.relation)


def relationship_of(row: Row) -> Relationship:
    """The relationship of a row."""
    object_type, object_id, relation, subject_type, subject_id, subject_relation = row
    return Relationship(
        resource=ObjectRef(type=object_type, id=object_id),
        relation=relation,
        subject=SubjectRef(type=subject_type, id=subject_id, relation=subject_relation),
    )


def _columns(rows: Iterable[Row | Place], count: int) -> list[list[str]]:
    """Rows turned on their side: a list for each column."""
    columns = list(map(list, zip(*rows, strict=True)))
    return columns or [[] for _ in range(count)]
