"""Returning an agent to where it stood at an earlier checkpoint."""

from uuid import UUID

from soma.base.crypto import SigningKey
from soma.base.errors import Denied, NotFound
from soma.base.tenancy import Principal
from soma.brain.domain.checkpoint import Checkpoint, CheckpointKind
from soma.brain.domain.ranking_state import RankingState
from soma.brain.models import LearnedCheckpointRow
from soma.brain.services.chain import Head, Link, append, locked_head
from soma.brain.services.checkpoint_rows import checkpoint_of
from soma.brain.services.constitutions import is_revoked
from soma.brain.services.ranking_rows import keep, versions_as_of
from soma.events.api import Event, publish


def rollback(
    tenant_id: UUID,
    agent_id: str,
    *,
    turn_id: UUID | None = None,
    sequence: int | None = None,
    rankings: bool = True,
    reason: str = "asked",
    by: Principal | None = None,
    key: SigningKey | None = None,
) -> Checkpoint:
    """Let the agent stand where the checkpoint of `turn_id`, or the one at `sequence`, left it: weights,
    neuromodulators, baseline and step, and with `rankings` what it had learned of its namespaces. The new
    checkpoint names the old one; `learning.rolled_back` tells who went back (`by`; None: the brain itself)
    and for what `reason`, a word or a few. Inside the caller's transaction, which holds the agent's row.

    Raises NotFound where the agent, the turn or the checkpoint is not there, Denied where the constitution
    that it was learned under is revoked.
    """
    head = locked_head(tenant_id, agent_id)
    old = _checkpoint(head, turn_id, sequence)
    if is_revoked(tenant_id, old.constitution_hash):
        raise Denied(
            f"Checkpoint {old.sequence} was made under a constitution that is revoked",
            reasons=[f"constitution.revoked: {old.constitution_hash}"],
        )
    states = versions_as_of(tenant_id, agent_id, old.sequence, head.sequence) if rankings else {}
    made = append(
        head,
        Link(
            state=old.state,
            kind=CheckpointKind.ROLLBACK,
            rankings={namespace: _hash(state) for namespace, state in states.items()},
            returns_to=old,
        ),
        key,
    )
    keep(tenant_id, agent_id, made.sequence, states)
    publish(_rolled_back(made, old, reason, by))
    return made


def _checkpoint(head: Head, turn_id: UUID | None, sequence: int | None) -> Checkpoint:
    rows = LearnedCheckpointRow.objects.filter(tenant_id=head.tenant_id, agent_id=head.agent_id)
    if turn_id is not None and sequence is None:
        wanted = rows.filter(turn_id=turn_id)
    elif sequence is not None and turn_id is None:
        wanted = rows.filter(sequence=sequence)
    else:
        raise ValueError("Name the turn or the sequence to return to")
    row = wanted.order_by("-sequence").first()
    if row is None:
        place = f"checkpoint {sequence}" if turn_id is None else f"checkpoint of the turn {turn_id}"
        raise NotFound(f"The agent {head.agent_id} has no {place}")
    return checkpoint_of(row)


def _hash(state: RankingState | None) -> str:
    return "" if state is None else state.hash


def _rolled_back(made: Checkpoint, old: Checkpoint, reason: str, by: Principal | None) -> Event:
    return Event(
        tenant_id=made.tenant_id,
        type="learning.rolled_back",
        key=made.agent_id,
        trace_id="" if by is None else by.trace_id,
        payload={
            "agent_id": made.agent_id,
            "checkpoint": made.sequence,
            "checkpoint_hash": made.hash,
            "returns_to": old.sequence,
            "returns_to_hash": old.hash,
            "turn_id": None if old.turn_id is None else str(old.turn_id),
            "reason": reason,
            "user_id": None if by is None else str(by.user_id),
        },
    )
