"""A memory capsule: blocks of knowledge in one signed, versioned document (MEM-005).

The signature covers the manifest: every member of the document, with each block represented by its digest.
So a manifest proves itself after its contents are gone, and one block can be checked without the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from soma.base.canonical import canonical_bytes, sha256_hex

SCHEMA_VERSION = 1
NAMED = UUID("5b0c9f5e-4a52-5d2b-9a6e-7d5f5f0c7a11")
"""The name space of the ids that are made of issuers and names (RFC 9562, version 5)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CapsuleBlock:
    """One piece of knowledge. `key` names it in its capsule; `provenance` is a flat JSON object."""

    key: str
    content: str
    role: str
    speaker: str
    occurred_at: datetime
    importance: float
    provenance: Mapping[str, Any]

    def members(self) -> dict[str, Any]:
        """The block as JSON, without its digest."""
        return {
            "key": self.key,
            "content": self.content,
            "role": self.role,
            "speaker": self.speaker,
            "occurred_at": time_text(self.occurred_at),
            "importance": self.importance,
            "provenance": dict(self.provenance),
        }

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON of `members`, 64 hex digits."""
        return sha256_hex(canonical_bytes(self.members()))

    @property
    def size(self) -> int:
        """The content in bytes of UTF-8."""
        return len(self.content.encode())


@dataclass(frozen=True, kw_only=True, slots=True)
class MemoryCapsule:
    """One version of a capsule. `policy_hash` is that of the policy it was made under, `constitution_hash`
    that of the constitution where there was one; `issuer` is the Ed25519 public key, 64 hex digits."""

    id: UUID
    name: str
    version: int
    description: str
    policy_hash: str
    constitution_hash: str | None
    created_at: datetime
    issuer: str
    blocks: tuple[CapsuleBlock, ...]

    def header(self) -> dict[str, Any]:
        """What the document says beside its blocks, as JSON."""
        return {
            "schema_version": SCHEMA_VERSION,
            "id": str(self.id),
            "name": self.name,
            "version": self.version,
            "description": self.description,
            "policy_hash": self.policy_hash,
            "constitution_hash": self.constitution_hash,
            "created_at": time_text(self.created_at),
            "issuer": self.issuer,
        }

    def manifest(self) -> bytes:
        """What is signed: canonical JSON of the header, and of each block its key, digest and size."""
        blocks = [{"key": each.key, "digest": each.digest, "bytes": each.size} for each in self.blocks]
        return canonical_bytes({**self.header(), "blocks": blocks})

    @property
    def reference(self) -> str:
        """`id@version`."""
        return f"{self.id}@{self.version}"


def document_bytes(capsule: MemoryCapsule, signature: bytes) -> bytes:
    """The document that is handed around: one line of canonical JSON (RFC 8785), without an end of line."""
    blocks = [{**block.members(), "digest": block.digest} for block in capsule.blocks]
    digest = sha256_hex(capsule.manifest())
    return canonical_bytes(
        {**capsule.header(), "blocks": blocks, "digest": digest, "signature": signature.hex()}
    )


def id_of_name(issuer: str, name: str) -> UUID:
    """The id of the capsule that `issuer` calls `name`: the same name again is its next version."""
    return uuid5(NAMED, f"{issuer}/{name}")


def time_text(moment: datetime) -> str:
    """`moment` as RFC 3339 in UTC with six decimals: one text a moment."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
