"""What stands before everything that is done with a conversation: its relations, then the policy."""

from dataclasses import dataclass
from uuid import UUID

from soma.agent.services.relate import may
from soma.base.tenancy import Principal
from soma.policy.api import Decision, PermissionDecision, Policy, PolicyInput, Relations


@dataclass(frozen=True, kw_only=True, slots=True)
class Thing:
    """A conversation, or a turn in one. `owner_id` is the user whose it is."""

    type: str
    id: UUID
    conversation_id: UUID
    owner_id: UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class Passed:
    """What was decided on the way in."""

    relation: PermissionDecision
    policy: Decision


class Gate:
    """Relations and policy, in this order, inside the principal's open transaction."""

    def __init__(self, relations: Relations, policy: Policy) -> None:
        self.relations = relations
        self.policy = policy

    def require(self, principal: Principal, permission: str, action: str, thing: Thing) -> Passed:
        """Pass with `permission` on the conversation and with the policy's leave for `action`.
        Raises Denied."""
        relation = self.relations.require(
            principal.tenant_id, may(principal, permission, thing.conversation_id)
        )
        return Passed(relation=relation, policy=self.require_policy(principal, permission, action, thing))

    def require_policy(self, principal: Principal, permission: str, action: str, thing: Thing) -> Decision:
        """The policy alone, for who has proved `permission` on the conversation. Raises Denied."""
        return self.policy.require(
            PolicyInput(
                action=action,
                principal=principal,
                resource={
                    "type": thing.type,
                    "id": str(thing.id),
                    "tenant_id": str(principal.tenant_id),
                    "owner_id": str(thing.owner_id),
                    "permission": permission,
                },
            )
        )
