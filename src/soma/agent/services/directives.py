"""What relations and the policy tell a principal: what may be done next, and what must not."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from soma.agent.domain.capsule import Capsule
from soma.agent.services.capsules import UNUSED
from soma.agent.services.gate import Gate, Thing
from soma.agent.services.relate import may, may_execute
from soma.agent.services.tool_input import tool_input
from soma.base.tenancy import Principal
from soma.policy.api import PermissionDecision, PolicyInput

OF_CONVERSATION = {"chat:write": "write", "trace:read": "read"}
"""Actions on a conversation, with the permission that each stands on."""
OF_MEMORY = ("memory:read", "memory:write")
OF_AGENT = ("learning:read", "learning:write")
Effect = Literal["may", "must_not"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Directive:
    """`action` on `resource` ("tool", "conversation", "memory", "agent"; `target` names which): allowed or
    not, and why. `decided_by` is "relations" where these said no, else "policy", whose hash is given."""

    action: str
    resource: str
    target: str
    effect: Effect
    reasons: tuple[str, ...]
    decided_by: str
    policy_hash: str

    @property
    def allows(self) -> bool:
        """Whether it may be done."""
        return self.effect == "may"


def directives(
    principal: Principal, capsule: Capsule, conversation: Thing | None, gate: Gate
) -> tuple[Directive, ...]:
    """What the principal may do with a conversation (or one that they would begin), with memory and the
    agent, and with each of its tools in the first iteration of a turn. Inside the principal's open
    transaction. Whatever cannot be decided must not be done."""
    return (
        *_of_conversation(principal, conversation, gate),
        *(_asked(gate, _own(principal, action, "memory"), "") for action in OF_MEMORY),
        *(_asked(gate, _own(principal, action, "agent"), capsule.name) for action in OF_AGENT),
        *_of_tools(principal, capsule, gate),
    )


def _of_conversation(principal: Principal, conversation: Thing | None, gate: Gate) -> Iterator[Directive]:
    if conversation is None:
        yield from (_asked(gate, _own(principal, action, "conversation"), "") for action in OF_CONVERSATION)
        return
    checks = [may(principal, permission, conversation.id) for permission in OF_CONVERSATION.values()]
    decisions = gate.relations.check_bulk(principal.tenant_id, checks)
    for (action, permission), decision in zip(OF_CONVERSATION.items(), decisions, strict=True):
        resource = {
            "id": str(conversation.id),
            "owner_id": str(conversation.owner_id),
            "permission": permission,
        }
        asked = _input(principal, action, "conversation", resource)
        yield _asked(gate, asked, str(conversation.id), decision)


def _of_tools(principal: Principal, capsule: Capsule, gate: Gate) -> Iterator[Directive]:
    checks = [may_execute(principal, tool.name) for tool in capsule.tools]
    decisions: tuple[PermissionDecision | None, ...] = (
        # Relations learn of an agent and its tools when it is first used.
        (None,) * len(checks)
        if capsule.id == UNUSED
        else gate.relations.check_bulk(principal.tenant_id, checks)
    )
    for tool, decision in zip(capsule.tools, decisions, strict=True):
        yield _asked(gate, tool_input(principal, capsule, tool, 0), tool.name, decision)


def _asked(
    gate: Gate, asked: PolicyInput, target: str, relation: PermissionDecision | None = None
) -> Directive:
    kind = asked.resource["type"]
    if relation is not None and not relation.allow:
        return Directive(
            action=asked.action,
            resource=kind,
            target=target,
            effect="must_not",
            reasons=(relation.reason,),
            decided_by="relations",
            policy_hash="",
        )
    decision = gate.policy.decide(asked)
    return Directive(
        action=asked.action,
        resource=kind,
        target=target,
        effect="may" if decision.allow else "must_not",
        reasons=(*((relation.reason,) if relation else ()), *decision.reasons),
        decided_by="policy",
        policy_hash=decision.policy_hash,
    )


def _own(principal: Principal, action: str, kind: str) -> PolicyInput:
    return _input(principal, action, kind, {"owner_id": str(principal.user_id)})


def _input(principal: Principal, action: str, kind: str, resource: dict[str, Any]) -> PolicyInput:
    return PolicyInput(
        action=action,
        principal=principal,
        resource={"type": kind, "tenant_id": str(principal.tenant_id), **resource},
    )
