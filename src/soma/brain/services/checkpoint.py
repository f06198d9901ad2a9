"""Adding what a turn has learned to its agent, at the end of the turn."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple
from uuid import UUID

from django.db import connections

from soma.base.crypto import SigningKey
from soma.base.database import APP
from soma.brain.domain.checkpoint import Checkpoint
from soma.brain.domain.evidence_feedback import EvidenceFeedback
from soma.brain.domain.learned_state import LearnedState
from soma.brain.domain.learning import learn
from soma.brain.models import LearnedCheckpointRow
from soma.brain.services.apply_feedback import signals_of
from soma.brain.services.chain import Link, append, locked_head
from soma.brain.services.checkpoint_rows import checkpoint_of
from soma.brain.services.evidence_credit import evidence_credit
from soma.brain.services.ranking_rows import keep

STEPS = """
    SELECT iteration, before, after, numbers FROM learned_step
    WHERE tenant_id = %s AND turn_id = %s AND agent_id = %s AND iteration > %s ORDER BY iteration
"""
"""SQL, because it runs at the end of every turn while the agent's row is locked, and the ORM takes six times
as long to write it."""


class _Step(NamedTuple):
    """What STEPS finds."""

    iteration: int
    before: bytes
    after: bytes
    numbers: bytes


def checkpoint(
    tenant_id: UUID,
    agent_id: str,
    turn_id: UUID,
    evidence: EvidenceFeedback | None = None,
    key: SigningKey | None = None,
) -> Checkpoint:
    """See Brain.checkpoint."""
    head = locked_head(tenant_id, agent_id, turn_id)
    steps = _steps_after(tenant_id, agent_id, turn_id, head.added)
    if not steps:
        return checkpoint_of(
            LearnedCheckpointRow.objects.get(tenant_id=tenant_id, agent_id=agent_id, sequence=head.sequence)
        )
    link = Link(
        state=_add(head.state, steps),
        turn_id=turn_id,
        last_iteration=steps[-1].iteration,
        reward=_mean_reward(steps),
    )
    if evidence is None:
        return append(head, link, key)
    credit = evidence_credit(evidence, link.state)
    made = append(head, replace(link, state=credit.state, rankings=credit.hashes), key)
    keep(tenant_id, agent_id, made.sequence, credit.rankings)
    return made


def _steps_after(tenant_id: UUID, agent_id: str, turn_id: UUID, iteration: int) -> list[_Step]:
    with connections[APP].cursor() as cursor:
        cursor.execute(STEPS, [tenant_id, turn_id, agent_id, iteration])
        return [_Step(*row) for row in cursor.fetchall()]


def _mean_reward(steps: Sequence[_Step]) -> float:
    return math.fsum(signals_of(step.numbers).reward for step in steps) / len(steps)


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
