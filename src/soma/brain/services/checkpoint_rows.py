"""Checkpoints as rows, and back."""

from soma.brain.domain.checkpoint import Checkpoint, CheckpointKind
from soma.brain.domain.learned_state import LearnedState
from soma.brain.models import LearnedCheckpointRow, LearnedStateRow


def state_row(checkpoint: Checkpoint) -> LearnedStateRow:
    """The row of an agent that stands at `checkpoint`."""
    return LearnedStateRow(
        tenant_id=checkpoint.tenant_id,
        agent_id=checkpoint.agent_id,
        state=checkpoint.state.to_bytes(),
        sequence=checkpoint.sequence,
        checkpoint_hash=bytes.fromhex(checkpoint.hash),
    )


def checkpoint_row(checkpoint: Checkpoint) -> LearnedCheckpointRow:
    """The row of `checkpoint`."""
    return LearnedCheckpointRow(
        tenant_id=checkpoint.tenant_id,
        agent_id=checkpoint.agent_id,
        sequence=checkpoint.sequence,
        turn_id=checkpoint.turn_id,
        last_iteration=checkpoint.last_iteration,
        state=checkpoint.state.to_bytes(),
        previous_hash=bytes.fromhex(checkpoint.previous_hash),
        hash=bytes.fromhex(checkpoint.hash),
        created_at=checkpoint.created_at,
        kind=checkpoint.kind,
        source_id=checkpoint.source_id,
        rankings=dict(checkpoint.rankings),
        returns_to=checkpoint.returns_to,
        constitution_hash=checkpoint.constitution_hash,
        reward=checkpoint.reward,
        signature=checkpoint.signature,
    )


def checkpoint_of(row: LearnedCheckpointRow) -> Checkpoint:
    """The checkpoint that `row` keeps."""
    return Checkpoint(
        tenant_id=row.tenant_id,
        agent_id=row.agent_id,
        sequence=row.sequence,
        turn_id=row.turn_id,
        last_iteration=row.last_iteration,
        state=LearnedState.from_bytes(row.state),
        previous_hash=bytes(row.previous_hash).hex(),
        hash=bytes(row.hash).hex(),
        created_at=row.created_at,
        kind=CheckpointKind(row.kind),
        source_id=row.source_id,
        rankings=row.rankings,
        returns_to=row.returns_to,
        constitution_hash=row.constitution_hash,
        reward=row.reward,
        signature=None if row.signature is None else bytes(row.signature),
    )
