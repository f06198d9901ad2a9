"""What SpiceDB itself knows of how far it has come: relationships that we alone write.

Each tenant has a ledger there with two relations: the revision that was `reached`, and the one that was
`left` by it. Both change with the relations in one atomic write, which demands that what it leaves is what
was reached. So a server that lost its data, was restored from a backup, or holds what a rolled-back
transaction wrote is known by its ledger.
"""

from collections.abc import Sequence
from uuid import UUID

from authzed.api.v1 import (
    CheckBulkPermissionsRequestItem,
    Precondition,
    RelationshipFilter,
    SubjectFilter,
)

from soma.policy.adapters.relation_revisions import Revision
from soma.policy.adapters.spicedb_messages import items, remote_id
from soma.policy.domain.permission import PermissionCheck
from soma.policy.domain.relationship import ObjectRef, SubjectRef
from soma.policy.relations.evaluation import Row

LEDGER, REVISION = "soma_ledger", "soma_revision"
SCHEMA = f"""
/** How far this server has followed the database that holds the relations of a tenant. */
definition {LEDGER} {{
	relation reached: {REVISION}
	relation left: {REVISION}
}}

definition {REVISION} {{}}
"""
KEY = "ledger"


def reached(tenant_id: UUID, revision: UUID) -> Row:
    """The row, as it stands there, that says where the tenant is."""
    return _row(tenant_id, "reached", revision)


def left(tenant_id: UUID, revision: UUID) -> Row:
    """The row that says where the tenant was before."""
    return _row(tenant_id, "left", revision)


def unfinished(tenant_id: UUID) -> Row:
    """The row that says that the tenant is nowhere yet: somebody is writing, or did not get to the end."""
    return (LEDGER, remote_id(tenant_id, KEY), "reached", REVISION, remote_id(tenant_id, "unfinished"), "")


def questions(tenant_id: UUID, revision: Revision) -> Sequence[CheckBulkPermissionsRequestItem]:
    """Was `revision` reached, was it left? To be asked together with what is really asked."""
    return items(
        tenant_id,
        [
            PermissionCheck(
                resource=ObjectRef(type=LEDGER, id=KEY),
                permission=relation,
                subject=SubjectRef(type=REVISION, id=str(revision.id)),
            )
            for relation in ("reached", "left")
        ],
    )


def demand(tenant_id: UUID, revision: UUID) -> Precondition:
    """Write only where `revision` is what was reached."""
    return Precondition(
        operation=Precondition.OPERATION_MUST_MATCH,
        filter=RelationshipFilter(
            resource_type=LEDGER,
            optional_resource_id=remote_id(tenant_id, KEY),
            optional_relation="reached",
            optional_subject_filter=SubjectFilter(
                subject_type=REVISION, optional_subject_id=remote_id(tenant_id, str(revision))
            ),
        ),
    )


def demand_none(tenant_id: UUID) -> Precondition:
    """Write only where the tenant has no ledger, and so nothing at all."""
    return Precondition(
        operation=Precondition.OPERATION_MUST_NOT_MATCH,
        filter=RelationshipFilter(resource_type=LEDGER, optional_resource_id=remote_id(tenant_id, KEY)),
    )


def _row(tenant_id: UUID, relation: str, revision: UUID) -> Row:
    return (LEDGER, remote_id(tenant_id, KEY), relation, REVISION, remote_id(tenant_id, str(revision)), "")
