"""Where an agent stands in its learning."""

from uuid import UUID

from django.db import connections

from soma.base.clock import now
from soma.base.database import APP
from soma.brain.domain.checkpoint import ROOT, seal
from soma.brain.domain.learned_state import LearnedState
from soma.brain.models import LearnedCheckpointRow, LearnedStateRow, LearnedStepRow
from soma.brain.services.checkpoint_rows import checkpoint_row, state_row


def learned_state(
    tenant_id: UUID, agent_id: str, baseline: LearnedState, turn_id: UUID | None = None
) -> LearnedState:
    """See Brain.learned_state."""
    if turn_id is not None:
        step = latest_step(tenant_id, agent_id, turn_id)
        if step is not None:
            return LearnedState.from_bytes(step.after)
    return standing_state(tenant_id, agent_id) or _begin(tenant_id, agent_id, baseline)


STANDING = "SELECT state FROM learned_state WHERE tenant_id = %s AND agent_id = %s"
"""SQL, because every turn asks it, and the ORM takes six times as long to write the query."""


def standing_state(tenant_id: UUID, agent_id: str) -> LearnedState | None:
    """Where the agent stands, or None if it has not begun."""
    with connections[APP].cursor() as cursor:
        cursor.execute(STANDING, [tenant_id, agent_id])
        found = cursor.fetchone()
    return None if found is None else LearnedState.from_bytes(found[0])


def latest_step(tenant_id: UUID, agent_id: str, turn_id: UUID) -> LearnedStepRow | None:
    """The last feedback of the turn."""
    steps = LearnedStepRow.objects.filter(tenant_id=tenant_id, turn_id=turn_id, agent_id=agent_id)
    return steps.order_by("-iteration").first()


def _begin(tenant_id: UUID, agent_id: str, baseline: LearnedState) -> LearnedState:
    """Let the agent begin at `baseline`, unless somebody else has let it begin meanwhile."""
    root = seal(
        tenant_id=tenant_id,
        agent_id=agent_id,
        sequence=0,
        turn_id=None,
        last_iteration=-1,
        state=baseline,
        previous_hash=ROOT,
        created_at=now(),
    )
    LearnedStateRow.objects.bulk_create([state_row(root)], ignore_conflicts=True)
    standing = LearnedStateRow.objects.get(tenant_id=tenant_id, agent_id=agent_id)
    if bytes(standing.checkpoint_hash).hex() == root.hash:
        LearnedCheckpointRow.objects.bulk_create([checkpoint_row(root)])
    return LearnedState.from_bytes(standing.state)
