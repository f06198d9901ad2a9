"""Memory capsules to test with."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from soma.base.crypto import SigningKey
from soma.base.ids import new_id
from soma.base.tenancy import Principal
from soma.brain.domain.memory_capsule import CapsuleBlock, MemoryCapsule, document_bytes

KEY = SigningKey.from_seed(bytes(range(32)))
STRANGER = SigningKey.from_seed(bytes(32))
MADE = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
HASH = "0f" * 32


def block(content: str, *, key: str = "", **changes: Any) -> CapsuleBlock:
    """A block that says `content`."""
    values = {
        "key": key or content[:40],
        "content": content,
        "role": "document",
        "speaker": "",
        "occurred_at": MADE,
        "importance": 0.5,
        "provenance": {"source_document": "handbook.md"},
    }
    return CapsuleBlock(**{**values, **changes})


def capsule(
    *contents: str, capsule_id: UUID | None = None, version: int = 1, **changes: Any
) -> MemoryCapsule:
    """A capsule whose blocks say `contents`."""
    values = {
        "id": capsule_id or new_id(),
        "name": "Handbook",
        "version": version,
        "description": "What new people ask.",
        "policy_hash": HASH,
        "constitution_hash": None,
        "created_at": MADE,
        "issuer": KEY.public.hex(),
        "blocks": tuple(block(content) for content in contents),
    }
    return MemoryCapsule(**{**values, **changes})


def signed(made: MemoryCapsule, key: SigningKey = KEY) -> bytes:
    """The document of `made`."""
    return document_bytes(made, key.sign(made.manifest()))


def somebody(tenant_id: UUID, roles: Sequence[str] = ("owner",)) -> Principal:
    """Somebody of the tenant."""
    return Principal(
        tenant_id=tenant_id,
        user_id=new_id(),
        session_id=new_id(),
        roles=tuple(roles),
        trace_id="a" * 32,
    )
