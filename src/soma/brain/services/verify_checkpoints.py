"""Proving that nobody changed what an agent has learned."""

from uuid import UUID

from soma.base.errors import NotFound
from soma.brain.domain.checkpoint import ChainReport, verify_chain
from soma.brain.domain.learned_state import LearnedState
from soma.brain.models import LearnedCheckpointRow, LearnedStateRow
from soma.brain.services.checkpoint_rows import checkpoint_of


def verify_checkpoints(tenant_id: UUID, agent_id: str, public: bytes | None = None) -> ChainReport:
    """See Brain.verify_checkpoints."""
    standing = LearnedStateRow.objects.filter(tenant_id=tenant_id, agent_id=agent_id).first()
    if standing is None:
        raise NotFound(f"The agent {agent_id} has not begun to learn")
    rows = LearnedCheckpointRow.objects.filter(
        tenant_id=tenant_id, agent_id=agent_id, sequence__lte=standing.sequence
    ).order_by("sequence")
    return verify_chain(
        (checkpoint_of(row) for row in rows.iterator(chunk_size=500)),
        head=bytes(standing.checkpoint_hash).hex(),
        state=LearnedState.from_bytes(standing.state),
        public=public,
    )
