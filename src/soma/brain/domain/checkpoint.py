"""Where an agent stood after a turn, chained to where it stood before."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from soma.base.canonical import canonical_bytes, sha3_512_hex
from soma.base.clock import iso
from soma.brain.domain.learned_state import LearnedState

ROOT = "0" * 128
"""What the first checkpoint of an agent has for a previous hash."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """`sequence` counts from 0, the capsule's baseline, which has no turn. `last_iteration` is the last of
    the turn's that is in it."""

    tenant_id: UUID
    agent_id: str
    sequence: int
    turn_id: UUID | None
    last_iteration: int
    state: LearnedState
    previous_hash: str
    hash: str
    created_at: datetime

    def expected_hash(self) -> str:
        """What `hash` must be: SHA3-512 of the canonical JSON of everything else."""
        content = {
            "tenant_id": str(self.tenant_id),
            "agent_id": self.agent_id,
            "sequence": self.sequence,
            "turn_id": None if self.turn_id is None else str(self.turn_id),
            "last_iteration": self.last_iteration,
            "state_hash": self.state.hash,
            "previous_hash": self.previous_hash,
            "created_at": iso(self.created_at),
        }
        return sha3_512_hex(canonical_bytes(content))


def seal(
    *,
    tenant_id: UUID,
    agent_id: str,
    sequence: int,
    turn_id: UUID | None,
    last_iteration: int,
    state: LearnedState,
    previous_hash: str,
    created_at: datetime,
) -> Checkpoint:
    """A checkpoint with its hash."""
    unsealed = Checkpoint(
        tenant_id=tenant_id,
        agent_id=agent_id,
        sequence=sequence,
        turn_id=turn_id,
        last_iteration=last_iteration,
        state=state,
        previous_hash=previous_hash,
        hash="",
        created_at=created_at,
    )
    return replace(unsealed, hash=unsealed.expected_hash())


@dataclass(frozen=True, kw_only=True, slots=True)
class ChainReport:
    """How far an agent's chain of checkpoints holds: `broken_at` is the first sequence that does not."""

    checkpoints: int
    broken_at: int | None

    @property
    def intact(self) -> bool:
        """Whether all of it holds."""
        return self.broken_at is None


def verify_chain(checkpoints: Iterable[Checkpoint], *, head: str, state: LearnedState) -> ChainReport:
    """Recompute the hashes of `checkpoints` from sequence 0 on; the last must have the hash `head`, and the
    `state` that the agent stands at."""
    previous, count, last = ROOT, 0, None
    for checkpoint in checkpoints:
        linked = checkpoint.previous_hash == previous and checkpoint.sequence == count
        if not linked or checkpoint.hash != checkpoint.expected_hash():
            return ChainReport(checkpoints=count, broken_at=count)
        previous, count, last = checkpoint.hash, count + 1, checkpoint
    ends_well = last is not None and last.hash == head and last.state == state
    return ChainReport(checkpoints=count, broken_at=None if ends_well else count)
