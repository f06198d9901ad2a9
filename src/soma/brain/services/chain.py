"""The chain of an agent's checkpoints: where it ends, and how it grows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connections

from soma.base.clock import now
from soma.base.crypto import SigningKey
from soma.base.database import APP
from soma.base.errors import NotFound
from soma.base.insertion import insert
from soma.brain.domain.checkpoint import Checkpoint, CheckpointKind, seal
from soma.brain.domain.learned_state import LearnedState
from soma.brain.services.checkpoint_rows import checkpoint_row

LOCK_HEAD = """
    SELECT state, sequence, checkpoint_hash, coalesce((
        SELECT max(last_iteration) FROM learned_checkpoint AS made
        WHERE made.tenant_id = head.tenant_id AND made.agent_id = head.agent_id AND made.turn_id = %s), -1), (
        SELECT hash FROM learning_constitution AS law
        WHERE law.tenant_id = head.tenant_id AND law.revoked_at IS NULL ORDER BY adopted_at DESC LIMIT 1)
    FROM learned_state AS head WHERE tenant_id = %s AND agent_id = %s FOR UPDATE
"""
"""Where the agent stands, its row locked until commit, with the last iteration of a turn that it holds
already, and the constitution in force. SQL, because it is a lock query. Where two add the same turn at once,
the second may miss that the first has; the unique constraint on checkpoints then refuses it."""

MOVE_HEAD = """
    UPDATE learned_state SET state = %s, sequence = %s, checkpoint_hash = %s
    WHERE tenant_id = %s AND agent_id = %s
"""
"""SQL, because it runs at the end of every turn while the agent's row is locked, and the ORM takes six times
as long to write it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """Where an agent stands. `added` is the last iteration that it holds of the turn asked about; −1 for
    none. `constitution_hash` is that of the constitution in force."""

    tenant_id: UUID
    agent_id: str
    state: LearnedState
    sequence: int
    hash: str
    added: int
    constitution_hash: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """What a checkpoint adds to the chain; see Checkpoint."""

    state: LearnedState
    kind: CheckpointKind = CheckpointKind.TURN
    turn_id: UUID | None = None
    last_iteration: int = -1
    source_id: UUID | None = None
    rankings: Mapping[str, str] = field(default_factory=dict)
    returns_to: Checkpoint | None = None
    reward: float | None = None


def locked_head(tenant_id: UUID, agent_id: str, turn_id: UUID | None = None) -> Head:
    """Where the agent stands; nobody else moves it before the caller's transaction ends. Raises NotFound."""
    with connections[APP].cursor() as cursor:
        cursor.execute(LOCK_HEAD, [turn_id, tenant_id, agent_id])
        row = cursor.fetchone()
    if row is None:
        raise NotFound(f"The agent {agent_id} has not begun to learn")
    state, sequence, chain, added, law = row
    return Head(
        tenant_id=tenant_id,
        agent_id=agent_id,
        state=LearnedState.from_bytes(state),
        sequence=sequence,
        hash=bytes(chain).hex(),
        added=added,
        constitution_hash=law,
    )


def append(head: Head, link: Link, key: SigningKey | None) -> Checkpoint:
    """The checkpoint after the locked `head`, signed with `key` and stored; the agent stands there now."""
    old = link.returns_to
    made = seal(
        tenant_id=head.tenant_id,
        agent_id=head.agent_id,
        sequence=head.sequence + 1,
        kind=link.kind,
        turn_id=link.turn_id,
        last_iteration=link.last_iteration,
        source_id=link.source_id,
        state=link.state,
        rankings=link.rankings,
        returns_to=None if old is None else old.sequence,
        constitution_hash=head.constitution_hash if old is None else old.constitution_hash,
        reward=link.reward,
        previous_hash=head.hash,
        created_at=now(),
    ).signed(key)
    with connections[APP].cursor() as cursor:
        cursor.execute(
            MOVE_HEAD,
            [made.state.to_bytes(), made.sequence, bytes.fromhex(made.hash), made.tenant_id, made.agent_id],
        )
    insert(checkpoint_row(made))
    return made
