"""What the API says of memory capsules. The capsule itself is sent as it was signed, byte by byte."""

from datetime import datetime
from uuid import UUID

from soma.interfaces.http.documents.base import Given


class CapsuleVersion(Given):
    """A version of a memory capsule. `blocks` counts, `bytes` are the document's; `digest` is SHA-256 of what
    was signed, `issuer` the Ed25519 public key."""

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


class CapsuleBlock(Given):
    """A block without its content: `digest` is SHA-256 of its canonical JSON, `bytes` are the content's."""

    key: str
    digest: str
    bytes: int


class CapsuleMetadata(Given):
    """All that was signed of a version but the contents. `intact`: digest and signature still hold for it.
    `versions` are those that the tenant took in, the latest first."""

    version: CapsuleVersion
    description: str
    constitution_hash: str | None
    created_at: datetime
    signature: str
    intact: bool
    blocks: list[CapsuleBlock]
    versions: list[CapsuleVersion] = []


class CapsuleVersions(Given):
    """Versions; `next_cursor` asks for those that follow, and is null at the end."""

    items: list[CapsuleVersion]
    next_cursor: str | None = None
