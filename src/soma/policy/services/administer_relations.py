"""What has to hold when a person changes relations, and how it is told."""

from typing import Literal
from uuid import UUID

from soma.base.errors import Denied, InvalidInput
from soma.base.tenancy import Principal
from soma.events.api import Event, publish
from soma.policy.domain.permission import PermissionCheck
from soma.policy.domain.relationship import WILDCARD, ObjectRef, Relationship, SubjectRef
from soma.policy.ports import RelationStore

NEEDED = {"conversation": "share", "agent": "manage", "capability": "manage"}
"""The permission on a thing that lets somebody relate others to it."""
BELONGING = "tenant"
"""The relation of a thing to its tenant, without which nobody could do anything to it."""


def permission_to_change(principal: Principal, relationship: Relationship) -> PermissionCheck:
    """What the caller has to be permitted. Raises Denied for what nobody changes by hand."""
    resource = relationship.resource
    if resource.type not in NEEDED or relationship.relation == BELONGING:
        raise Denied(
            f"{resource.type}#{relationship.relation} is not given by hand.",
            reasons=["relations.by_hand: roles come with the user, and what belongs to a tenant stays."],
        )
    return PermissionCheck(
        resource=resource,
        permission=NEEDED[resource.type],
        subject=SubjectRef.of("user", principal.user_id),
    )


def require_known(store: RelationStore, tenant_id: UUID, subject: SubjectRef) -> None:
    """Raises InvalidInput where the tenant has no such user: nobody should be related by a slip of the
    pen."""
    if subject.type != "user" or subject.id == WILDCARD:
        return
    tenant = ObjectRef.of("tenant", tenant_id)
    belongs = PermissionCheck(resource=tenant, permission="belong", subject=subject)
    decision = store.check_bulk(tenant_id, [belongs])[0]
    if not decision.allow:
        raise InvalidInput(f"{subject} is no user of this tenant ({decision.reason})")


def announce(
    principal: Principal,
    relationship: Relationship,
    *,
    change: Literal["granted", "revoked"],
    engine: str,
) -> None:
    """Publish `policy.relation_changed` in the transaction of the change."""
    publish(
        Event(
            tenant_id=principal.tenant_id,
            type="policy.relation_changed",
            key=str(relationship.resource),
            payload={
                "change": change,
                "resource": str(relationship.resource),
                "relation": relationship.relation,
                "subject": str(relationship.subject),
                "user_id": str(principal.user_id),
                "session_id": str(principal.session_id),
                "engine": engine,
            },
            trace_id=principal.trace_id,
        )
    )
