"""What an agent has learned: looking at it, and going back to an earlier turn."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from soma.agent.models import CapsuleRow, TurnRow
from soma.agent.services.capsules import named
from soma.agent.services.gate import Gate
from soma.agent.services.relate import may_manage
from soma.base.database import tenant_transaction
from soma.base.errors import InvalidInput, NotFound
from soma.base.ids import parse_id
from soma.base.tenancy import Principal
from soma.brain.api import Brain
from soma.policy.api import PolicyInput


@dataclass(frozen=True, kw_only=True, slots=True)
class RollbackTarget:
    """Where to go back to: to where a turn left its agent, or to a checkpoint of `agent`, by its sequence.

    Raises InvalidInput for neither, and for both.
    """

    turn_id: UUID | None = None
    agent: str | None = None
    checkpoint: int | None = None

    def __post_init__(self) -> None:
        by_checkpoint = self.agent is not None and self.checkpoint is not None
        by_turn = self.turn_id is not None and self.agent is None and self.checkpoint is None
        if by_turn == (by_checkpoint and self.turn_id is None):
            raise InvalidInput("Name a turn, or an agent and one of its checkpoints")


def agent_learning(
    principal: Principal, agent: str, *, checkpoints: int, gate: Gate, brain: Brain
) -> dict[str, Any]:
    """What the agent with this name or id has learned, as a JSON object. Raises NotFound, Denied."""
    with tenant_transaction(principal.tenant_id):
        capsule = _capsule(agent)
        _require_policy(gate, principal, "learning:read", capsule.id)
        report = brain.learned_report(principal.tenant_id, str(capsule.id), checkpoints=checkpoints)
        return {"agent": capsule.name, **report.to_dict()}


def roll_back(principal: Principal, target: RollbackTarget, *, gate: Gate, brain: Brain) -> dict[str, Any]:
    """Go back; the new checkpoint as a JSON object. The caller must manage the agent and have the policy's
    leave for `agent:rollback`. Raises NotFound, Denied."""
    with tenant_transaction(principal.tenant_id):
        capsule = _capsule_of(target)
        gate.relations.require(principal.tenant_id, may_manage(principal, capsule.id))
        _require_policy(gate, principal, "agent:rollback", capsule.id)
        made = brain.rollback(
            principal.tenant_id,
            str(capsule.id),
            turn_id=target.turn_id,
            sequence=target.checkpoint,
            by=principal,
        )
        return {"agent": capsule.name, "agent_id": made.agent_id, **made.to_dict()}


def _capsule_of(target: RollbackTarget) -> CapsuleRow:
    if target.turn_id is None:
        return _capsule(target.agent or "")
    turn = TurnRow.objects.filter(id=target.turn_id).first()
    if turn is None:
        raise NotFound("there is no such turn")
    return CapsuleRow.objects.get(id=turn.agent_id)


def _capsule(agent: str) -> CapsuleRow:
    """By id, for a version that is no more the newest, or by name."""
    if not agent.isprintable():
        raise InvalidInput("the agent's name holds what is no character to print")
    identity = parse_id(agent)
    by_id = None if identity is None else CapsuleRow.objects.filter(id=identity).first()
    return by_id or named(agent)


def _require_policy(gate: Gate, principal: Principal, action: str, agent_id: UUID) -> None:
    gate.policy.require(
        PolicyInput(
            action=action,
            principal=principal,
            resource={"type": "agent", "id": str(agent_id), "tenant_id": str(principal.tenant_id)},
        )
    )
