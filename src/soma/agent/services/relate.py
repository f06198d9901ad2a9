"""What the things of this tier are to relations: their objects, their permissions, and how they are tied."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from soma.base import clock
from soma.base.tenancy import Principal
from soma.policy.api import ObjectRef, PermissionCheck, PermissionDecision, Relationship, SubjectRef

CONVERSE = "converse"
"""The permission in a tenant with which one invokes its agents, unless an agent is for some only."""


def may(principal: Principal, permission: str, conversation_id: UUID) -> PermissionCheck:
    """Has the principal `permission` on a conversation?"""
    return _check(principal, permission, ObjectRef.of("conversation", conversation_id))


def may_use(principal: Principal, agent_id: UUID) -> PermissionCheck:
    """May the principal begin a conversation with an agent?"""
    return _check(principal, "use", ObjectRef.of("agent", agent_id))


def may_manage(principal: Principal, agent_id: UUID) -> PermissionCheck:
    """May the principal change an agent, or what it has learned?"""
    return _check(principal, "manage", ObjectRef.of("agent", agent_id))


def may_execute(principal: Principal, tool: str) -> PermissionCheck:
    """May a tool be executed for the principal?"""
    return _check(principal, "execute", ObjectRef.named("capability", tool))


def ties_of_conversation(
    tenant_id: UUID, conversation_id: UUID, *, agent_id: UUID, owner_id: UUID
) -> list[Relationship]:
    """What a new conversation is to its tenant, its agent and whoever began it."""
    conversation = ObjectRef.of("conversation", conversation_id)
    return [
        _of_tenant(conversation, tenant_id),
        Relationship(resource=conversation, relation="agent", subject=SubjectRef.of("agent", agent_id)),
        Relationship(resource=conversation, relation="owner", subject=SubjectRef.of("user", owner_id)),
    ]


def ties_of_agent(tenant_id: UUID, agent_id: UUID, tools: Iterable[str]) -> list[Relationship]:
    """What a new agent and its tools are to their tenant: it is for whoever may converse there."""
    agent = ObjectRef.of("agent", agent_id)
    whoever = SubjectRef(type="tenant", id=str(tenant_id), relation=CONVERSE)
    return [
        _of_tenant(agent, tenant_id),
        Relationship(resource=agent, relation="invoker", subject=whoever),
        *(_of_tenant(ObjectRef.named("capability", tool), tenant_id) for tool in tools),
    ]


def phase_of(decision: PermissionDecision) -> dict[str, Any]:
    """The phase of a turn's trace that tells of a decision."""
    return {
        "phase": "relation",
        "at": clock.iso(clock.now()),
        "ms": round(decision.latency_ms, 3),
        "decision": "allow" if decision.allow else "deny",
        "permission": decision.check.name,
        "engine": decision.engine,
        "reasons": [decision.reason],
    }


def _of_tenant(thing: ObjectRef, tenant_id: UUID) -> Relationship:
    return Relationship(resource=thing, relation="tenant", subject=SubjectRef.of("tenant", tenant_id))


def _check(principal: Principal, permission: str, thing: ObjectRef) -> PermissionCheck:
    return PermissionCheck(
        resource=thing, permission=permission, subject=SubjectRef.of("user", principal.user_id)
    )
