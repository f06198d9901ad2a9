"""Our records in SpiceDB's words.

The id of every object and subject is `<tenant's 32 hexadecimal digits>/<id>` there. The wildcard, which has
no tenant in SpiceDB, only ever stands in a relationship of a tenant's own object, and only the tenant's own
subjects are ever asked about.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from authzed.api.v1 import (
    CheckBulkPermissionsPair,
    CheckBulkPermissionsRequestItem,
    CheckPermissionResponse,
    ObjectReference,
    RelationshipUpdate,
    SubjectReference,
)
from authzed.api.v1 import Relationship as RemoteRelationship

from soma.policy.domain.permission import PermissionCheck
from soma.policy.domain.relationship import WILDCARD
from soma.policy.relations.evaluation import Row

TOUCH = RelationshipUpdate.OPERATION_TOUCH
DELETE = RelationshipUpdate.OPERATION_DELETE
YES = CheckPermissionResponse.PERMISSIONSHIP_HAS_PERMISSION
NO = CheckPermissionResponse.PERMISSIONSHIP_NO_PERMISSION


def remote_id(tenant_id: UUID, key: str) -> str:
    """The id there of an object of the tenant."""
    return f"{tenant_id.hex}/{key}"


def remote_row(tenant_id: UUID, row: Row) -> Row:
    """A row of the tenant with the ids it has there."""
    object_type, object_id, relation, subject_type, subject_id, subject_relation = row
    subject_id = WILDCARD if subject_id == WILDCARD else remote_id(tenant_id, subject_id)
    return (
        object_type,
        remote_id(tenant_id, object_id),
        relation,
        subject_type,
        subject_id,
        subject_relation,
    )


def row_there(relationship: RemoteRelationship) -> Row:
    """A relationship of theirs as a row with the ids it has there."""
    resource, subject = relationship.resource, relationship.subject
    return (
        resource.object_type,
        resource.object_id,
        relationship.relation,
        subject.object.object_type,
        subject.object.object_id,
        subject.optional_relation,
    )


def updates(
    operation: "RelationshipUpdate.Operation.ValueType", rows: Iterable[Row]
) -> list[RelationshipUpdate]:
    """Touch or delete each row, given with the ids it has there."""
    return [
        RelationshipUpdate(
            operation=operation,
            relationship=RemoteRelationship(
                resource=ObjectReference(object_type=row[0], object_id=row[1]),
                relation=row[2],
                subject=_subject(row[3], row[4], row[5]),
            ),
        )
        for row in rows
    ]


def items(tenant_id: UUID, checks: Sequence[PermissionCheck]) -> list[CheckBulkPermissionsRequestItem]:
    """The checks as items of a bulk."""
    return [
        CheckBulkPermissionsRequestItem(
            resource=ObjectReference(
                object_type=check.resource.type, object_id=remote_id(tenant_id, check.resource.id)
            ),
            permission=check.permission,
            subject=_subject(
                check.subject.type, remote_id(tenant_id, check.subject.id), check.subject.relation
            ),
        )
        for check in checks
    ]


def answer(pair: CheckBulkPermissionsPair) -> bool | str:
    """Yes, no, or why there is no such answer. What we do not know of is no answer."""
    if pair.WhichOneof("response") != "item":
        return f"spicedb answers: {pair.error.message}"
    if pair.item.permissionship == YES:
        return True
    if pair.item.permissionship == NO:
        return False
    return "spicedb answers neither yes nor no"


def _subject(subject_type: str, subject_id: str, relation: str) -> SubjectReference:
    return SubjectReference(
        object=ObjectReference(object_type=subject_type, object_id=subject_id), optional_relation=relation
    )
