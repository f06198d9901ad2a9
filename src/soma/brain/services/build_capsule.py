"""Making a memory capsule of blocks, signed with the installation's key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from soma.base.crypto import SigningKey
from soma.base.database import tenant_transaction
from soma.brain.domain.capsule_blocks import RESERVED
from soma.brain.domain.capsule_fault import CapsuleFault
from soma.brain.domain.capsule_limits import CapsuleLimits
from soma.brain.domain.capsule_verification import check_blocks, verify_capsule
from soma.brain.domain.memory_capsule import CapsuleBlock, MemoryCapsule, document_bytes, id_of_name
from soma.brain.errors import CapsuleRefused
from soma.fractalmemory.api import FractalMemory, MemoryRecord, Selection

PAGE = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class CapsulePlan:
    """What a capsule is to be. Without an `id` it is that of its name: the same name is the next version."""

    name: str
    version: int
    description: str = ""
    policy_hash: str
    constitution_hash: str | None = None
    created_at: datetime
    id: UUID | None = None
    blocks: Sequence[CapsuleBlock]


def build_capsule(key: SigningKey, plan: CapsulePlan, limits: CapsuleLimits) -> bytes:
    """See MemoryCapsules.build."""
    if not plan.blocks:
        raise CapsuleRefused(CapsuleFault.NO_BLOCKS, "there is nothing to make a capsule of")
    issuer = key.public.hex()
    capsule = MemoryCapsule(
        id=plan.id or id_of_name(issuer, plan.name),
        name=plan.name,
        version=plan.version,
        description=plan.description,
        policy_hash=plan.policy_hash,
        constitution_hash=plan.constitution_hash,
        created_at=plan.created_at,
        issuer=issuer,
        blocks=tuple(plan.blocks),
    )
    check_blocks(capsule, limits)
    document = document_bytes(capsule, key.sign(capsule.manifest()))
    # What is handed out is what any reader accepts: names, times and sizes are checked by the reader's rules.
    verify_capsule(document, trusted=[issuer], limits=limits)
    return document


def blocks_of_namespace(
    memory: FractalMemory, tenant_id: UUID, namespace: str, *, keys: Sequence[str] | None, most: int
) -> list[CapsuleBlock]:
    """The memories of `namespace` as blocks in the order of their keys: all, or those of `keys`; one more
    than `most` at most, which is one too many."""
    selection = Selection(namespace=namespace, keys=None if keys is None else tuple(keys))
    blocks: list[CapsuleBlock] = []
    after: str | None = None
    while len(blocks) <= most:
        with tenant_transaction(tenant_id):
            page = memory.select(tenant_id, selection, after=after, limit=min(PAGE, most + 1 - len(blocks)))
        if not page:
            break
        blocks += [_block(record) for record in page]
        after = page[-1].key
    return blocks


def _block(record: MemoryRecord) -> CapsuleBlock:
    return CapsuleBlock(
        key=record.key,
        content=record.content,
        role=record.role,
        speaker=record.speaker,
        occurred_at=record.occurred_at,
        importance=record.importance,
        provenance=_origin(record.provenance),
    )


def _origin(provenance: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in provenance.items() if not name.startswith(RESERVED)}
