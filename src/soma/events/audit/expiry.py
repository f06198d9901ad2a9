"""A signed expiry: the retention says up to where it has removed a tenant's events, before it does.

Without one nobody could tell events that were kept long enough from old ones that somebody has cut off.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from soma.base.canonical import canonical_bytes
from soma.base.clock import iso
from soma.base.crypto import SigningKey, verify_signature
from soma.events.audit.checkpoint import key_id_of

TYPE = "soma.audit.expiry"
VERSION = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Expiry:
    """The tenant's events up to `sequence` may be gone. `digest` is the link that stands there, empty where
    there is none: what was recorded before there was a chain."""

    tenant_id: UUID
    sequence: int
    digest: bytes
    created_at: datetime
    key_id: str
    signature: bytes

    def as_json(self) -> dict[str, Any]:
        """What is signed, and the signature in hex."""
        return {**_content(self), "signature": self.signature.hex()}

    def signed_by(self, public: bytes) -> bool:
        """Whether it is signed with the 32-byte public key."""
        return verify_signature(public, canonical_bytes(_content(self)), self.signature)


def sign_expiry(
    tenant_id: UUID, sequence: int, digest: bytes, *, created_at: datetime, key: SigningKey
) -> Expiry:
    """The expiry of what stands up to `sequence`."""
    unsigned = Expiry(
        tenant_id=tenant_id,
        sequence=sequence,
        digest=digest,
        created_at=created_at,
        key_id=key_id_of(key.public),
        signature=b"",
    )
    return replace(unsigned, signature=key.sign(canonical_bytes(_content(unsigned))))


def _content(expiry: Expiry) -> dict[str, Any]:
    return {
        "type": TYPE,
        "version": VERSION,
        "tenant_id": str(expiry.tenant_id),
        "sequence": expiry.sequence,
        "link": expiry.digest.hex(),
        "created_at": iso(expiry.created_at),
        "key_id": expiry.key_id,
    }
