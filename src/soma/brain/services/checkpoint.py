"""Adding what a turn has learned to its agent, at the end of the turn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from django.db import connections

from soma.base.clock import now
from soma.base.database import APP
from soma.base.errors import NotFound
from soma.base.insertion import insert
from soma.brain.domain.checkpoint import Checkpoint, seal
from soma.brain.domain.learned_state import LearnedState
from soma.brain.domain.learning import learn
from soma.brain.models import LearnedCheckpointRow
from soma.brain.services.apply_feedback import signals_of
from soma.brain.services.checkpoint_rows import checkpoint_of, checkpoint_row

LOCK_HEAD = """
    SELECT state, sequence, checkpoint_hash, coalesce((
        SELECT max(last_iteration) FROM learned_checkpoint AS made
        WHERE made.tenant_id = head.tenant_id AND made.agent_id = head.agent_id AND made.turn_id = %s), -1)
    FROM learned_state AS head WHERE tenant_id = %s AND agent_id = %s FOR UPDATE
"""
"""Where the agent stands, its row locked until commit, with the turn's last iteration that it holds already.
SQL, because it is a lock query. Where two add the same turn at once, the second may miss that the first has;
the unique constraint on checkpoints then refuses it."""

STEPS = """
    SELECT iteration, before, after, numbers FROM learned_step
    WHERE tenant_id = %s AND turn_id = %s AND agent_id = %s AND iteration > %s ORDER BY iteration
"""
MOVE_HEAD = """
    UPDATE learned_state SET state = %s, sequence = %s, checkpoint_hash = %s
    WHERE tenant_id = %s AND agent_id = %s
"""
"""SQL both, because they run at the end of every turn while the agent's row is locked, and the ORM takes six
times as long to write them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Head:
    state: LearnedState
    sequence: int
    hash: str
    added: int
    """The last iteration of the turn that is in it already; −1 for none."""


class _Step(NamedTuple):
    """What STEPS finds."""

    iteration: int
    before: bytes
    after: bytes
    numbers: bytes


def checkpoint(tenant_id: UUID, agent_id: str, turn_id: UUID) -> Checkpoint:
    """See Brain.checkpoint."""
    head = _locked_head(tenant_id, agent_id, turn_id)
    steps = _steps_after(tenant_id, agent_id, turn_id, head.added)
    if not steps:
        return checkpoint_of(
            LearnedCheckpointRow.objects.get(tenant_id=tenant_id, agent_id=agent_id, sequence=head.sequence)
        )
    made = seal(
        tenant_id=tenant_id,
        agent_id=agent_id,
        sequence=head.sequence + 1,
        turn_id=turn_id,
        last_iteration=steps[-1].iteration,
        state=_add(head.state, steps),
        previous_hash=head.hash,
        created_at=now(),
    )
    _move_head(made)
    insert(checkpoint_row(made))
    return made


def _locked_head(tenant_id: UUID, agent_id: str, turn_id: UUID) -> _Head:
    with connections[APP].cursor() as cursor:
        cursor.execute(LOCK_HEAD, [turn_id, tenant_id, agent_id])
        row = cursor.fetchone()
    if row is None:
        raise NotFound(f"The agent {agent_id} has not begun to learn")
    state, sequence, chain, added = row
    return _Head(
        state=LearnedState.from_bytes(state), sequence=sequence, hash=bytes(chain).hex(), added=added
    )


def _steps_after(tenant_id: UUID, agent_id: str, turn_id: UUID, iteration: int) -> list[_Step]:
    with connections[APP].cursor() as cursor:
        cursor.execute(STEPS, [tenant_id, turn_id, agent_id, iteration])
        return [_Step(*row) for row in cursor.fetchall()]


def _move_head(made: Checkpoint) -> None:
    state, chain = made.state.to_bytes(), bytes.fromhex(made.hash)
    with connections[APP].cursor() as cursor:
        cursor.execute(MOVE_HEAD, [state, made.sequence, chain, made.tenant_id, made.agent_id])


def _add(standing: LearnedState, steps: Sequence[_Step]) -> LearnedState:
    """`standing` with the turn's feedbacks added. If the turn's line goes on from there, that is where it
    ends; if another turn came in between, the same feedbacks are learned again from here, so that nothing of
    either is lost."""
    if _is_line(standing, steps):
        return LearnedState.from_bytes(steps[-1].after)
    for step in steps:
        standing = learn(standing, signals_of(step.numbers)).after
    return standing


def _is_line(standing: LearnedState, steps: Sequence[_Step]) -> bool:
    ends = [standing.to_bytes(), *(step.after for step in steps)]
    return all(step.before == end for step, end in zip(steps, ends, strict=False))
