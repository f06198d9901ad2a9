"""Where an agent stood after a turn, chained to where it stood before."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from soma.base.canonical import canonical_bytes, sha3_512_hex
from soma.base.clock import iso
from soma.base.crypto import SigningKey, verify_signature
from soma.brain.domain.learned_state import LearnedState

ROOT = "0" * 128
"""What the first checkpoint of an agent has for a previous hash."""

PURPOSE = b"soma.learned_checkpoint\x00"
"""Stands before the hash that is signed: a signature of something else with the same key is none of this."""


class CheckpointKind(StrEnum):
    """What an agent came by a state through: a turn (the first checkpoint, the capsule's baseline, counts as
    one), feedback on evidence, or a return to an earlier checkpoint."""

    TURN = "turn"
    FEEDBACK = "feedback"
    ROLLBACK = "rollback"


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """`sequence` counts from 0, the capsule's baseline, which has no turn. `last_iteration` is the last of
    the turn's that is in it. `source_id` names the feedback. `rankings` are the hashes of the ranking states
    that came with it, by namespace; "" for one that was taken away. `returns_to` is the sequence of the
    checkpoint that a rollback went back to. `constitution_hash` is that of the constitution under which this
    was learned, for a rollback of the one under which it was; None where there was none. `reward` is the mean
    of the turn's iterations, None for what is no turn. `signature` is the installation's over `hash`; None
    for the first, which the next one's hash vouches for, and where there is no key."""

    tenant_id: UUID
    agent_id: str
    sequence: int
    turn_id: UUID | None
    last_iteration: int
    state: LearnedState
    previous_hash: str
    hash: str
    created_at: datetime
    kind: CheckpointKind = CheckpointKind.TURN
    source_id: UUID | None = None
    rankings: Mapping[str, str] = field(default_factory=dict)
    returns_to: int | None = None
    constitution_hash: str | None = None
    reward: float | None = None
    signature: bytes | None = None

    def signed(self, key: SigningKey | None) -> "Checkpoint":
        """The same with the signature of `key`, if there is one."""
        return self if key is None else replace(self, signature=key.sign(self._signed_message()))

    def signed_by(self, public: bytes) -> bool:
        """Whether the signature is of the key with this public half, 32 bytes."""
        return self.signature is not None and verify_signature(public, self._signed_message(), self.signature)

    def _signed_message(self) -> bytes:
        return PURPOSE + bytes.fromhex(self.hash)

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
        return sha3_512_hex(canonical_bytes({**content, **self._beyond_a_turn()}))

    def _beyond_a_turn(self) -> Mapping[str, Any]:
        """What only some checkpoints have: the others hash as they did before there was such a thing."""
        beyond: dict[str, Any] = {}
        if self.kind is not CheckpointKind.TURN:
            beyond["kind"] = self.kind.value
        if self.source_id is not None:
            beyond["source_id"] = str(self.source_id)
        if self.rankings:
            beyond["rankings"] = dict(self.rankings)
        if self.returns_to is not None:
            beyond["returns_to"] = self.returns_to
        if self.constitution_hash is not None:
            beyond["constitution_hash"] = self.constitution_hash
        if self.reward is not None:
            beyond["reward"] = self.reward
        return beyond

    def to_dict(self) -> dict[str, Any]:
        """The checkpoint as a JSON object, with what the agent stood at."""
        return {
            "sequence": self.sequence,
            "kind": self.kind.value,
            "turn_id": None if self.turn_id is None else str(self.turn_id),
            "source_id": None if self.source_id is None else str(self.source_id),
            "returns_to": self.returns_to,
            "constitution_hash": self.constitution_hash,
            "weights": self.state.weights.to_dict(),
            "neuromodulators": self.state.neuromodulators.to_dict(),
            "reward": self.reward,
            "reward_baseline": self.state.reward_baseline,
            "step": self.state.step,
            "rankings": dict(self.rankings),
            "hash": self.hash,
            "previous_hash": self.previous_hash,
            "signature": None if self.signature is None else self.signature.hex(),
            "created_at": iso(self.created_at),
        }


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
    kind: CheckpointKind = CheckpointKind.TURN,
    source_id: UUID | None = None,
    rankings: Mapping[str, str] | None = None,
    returns_to: int | None = None,
    constitution_hash: str | None = None,
    reward: float | None = None,
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
        kind=kind,
        source_id=source_id,
        rankings=rankings or {},
        returns_to=returns_to,
        constitution_hash=constitution_hash,
        reward=reward,
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


def verify_chain(
    checkpoints: Iterable[Checkpoint], *, head: str, state: LearnedState, public: bytes | None = None
) -> ChainReport:
    """Recompute the hashes of `checkpoints` from sequence 0 on; the last must have the hash `head`, and the
    `state` that the agent stands at. With `public`, all but the first must be signed by that key."""
    previous, count, last = ROOT, 0, None
    for checkpoint in checkpoints:
        linked = checkpoint.previous_hash == previous and checkpoint.sequence == count
        linked &= public is None or count == 0 or checkpoint.signed_by(public)
        if not linked or checkpoint.hash != checkpoint.expected_hash():
            return ChainReport(checkpoints=count, broken_at=count)
        previous, count, last = checkpoint.hash, count + 1, checkpoint
    ends_well = last is not None and last.hash == head and last.state == state
    return ChainReport(checkpoints=count, broken_at=None if ends_well else count)
