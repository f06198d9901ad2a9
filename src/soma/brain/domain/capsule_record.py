"""What a tenant keeps of a version of a memory capsule: everything but its contents."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class CapsuleVersion:
    """A version that was taken in. `blocks` counts, `bytes` are the document's; `digest` is SHA-256 of what
    was signed. A version that is revoked has the time and the reason."""

    id: UUID
    version: int
    name: str
    issuer: str
    policy_hash: str
    digest: str
    blocks: int
    bytes: int
    uploaded_at: datetime
    uploaded_by: UUID
    revoked_at: datetime | None
    revoked_by: UUID | None
    revocation_reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockSummary:
    """A block without its content: `digest` is SHA-256 of its canonical JSON, `bytes` are the content's."""

    key: str
    digest: str
    bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CapsuleMetadata:
    """A version with all that was signed of it. `intact`: digest and signature still hold for it."""

    version: CapsuleVersion
    description: str
    constitution_hash: str | None
    created_at: datetime
    signature: str
    intact: bool
    blocks: tuple[BlockSummary, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class CapsuleIssuer:
    """A public key whose capsules a tenant takes; `own`: it is the installation's, and always trusted."""

    public_key: str
    label: str
    own: bool
    trusted_at: datetime | None
