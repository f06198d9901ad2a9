"""The regret watch at the end of a turn: returning an agent to where it did better."""

from uuid import UUID

from django.db import connections

from soma.base.crypto import SigningKey
from soma.base.database import APP
from soma.brain.domain.checkpoint import Checkpoint, CheckpointKind
from soma.brain.domain.regret import Regret, RegretSettings, TurnReward, regret
from soma.brain.services.constitutions import is_revoked
from soma.brain.services.rollback import rollback

OTHERS = 2
"""So many times the turns that the watch looks back checkpoints are read: those of feedback lie between."""

RECENT = """
    SELECT sequence, kind, reward, constitution_hash FROM learned_checkpoint
    WHERE tenant_id = %s AND agent_id = %s ORDER BY sequence DESC LIMIT %s
"""
"""SQL, because it runs at the end of every turn while the agent's row is locked, and the ORM takes six times
as long to write it."""


def watch_regret(
    tenant_id: UUID, agent_id: str, settings: RegretSettings, key: SigningKey | None = None
) -> Checkpoint | None:
    """Return the agent to the last good checkpoint if its last turns are to be regretted: the checkpoint that
    does so, or None. Inside the caller's transaction, which holds the agent's row. What was learned under a
    constitution that is revoked is returned to by nobody."""
    if not settings.turns:
        return None
    turns, constitutions = _since_last_return(tenant_id, agent_id, settings)
    found = regret(turns, settings)
    if found is None or is_revoked(tenant_id, constitutions[found.good]):
        return None
    return rollback(tenant_id, agent_id, sequence=found.good, reason=_reason(found, settings), key=key)


def _since_last_return(
    tenant_id: UUID, agent_id: str, settings: RegretSettings
) -> tuple[list[TurnReward], dict[int, str | None]]:
    """The turns since the agent last went back, oldest first, and each one's constitution by sequence."""
    with connections[APP].cursor() as cursor:
        cursor.execute(RECENT, [tenant_id, agent_id, OTHERS * settings.memory])
        rows = cursor.fetchall()
    turns, constitutions = list[TurnReward](), dict[int, str | None]()
    for sequence, kind, reward, constitution in rows:
        if kind == CheckpointKind.ROLLBACK:
            break
        if reward is not None:
            turns.append(TurnReward(sequence=sequence, reward=reward))
            constitutions[sequence] = constitution
    return turns[::-1], constitutions


def _reason(found: Regret, settings: RegretSettings) -> str:
    return f"regret: the mean reward of {settings.turns} turns fell from {found.then:.3f} to {found.now:.3f}"
