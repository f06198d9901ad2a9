"""A signed checkpoint: somebody with the key says how far a tenant's chain had come, and to which link."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from soma.base.canonical import canonical_bytes, json_value, sha256_hex
from soma.base.clock import iso
from soma.base.crypto import SigningKey, verify_signature
from soma.base.errors import InvalidInput
from soma.events.audit.link import Link

TYPE = "soma.audit.checkpoint"
VERSION = 1
KEY_ID_DIGITS = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """`number` counts a tenant's checkpoints from 1; `digest` is the link of `sequence`; `key_id` names the
    Ed25519 key that made `signature`."""

    tenant_id: UUID
    number: int
    sequence: int
    event_id: UUID
    digest: bytes
    created_at: datetime
    key_id: str
    signature: bytes

    def as_json(self) -> dict[str, Any]:
        """The document to keep outside: what is signed, and the signature in hex."""
        return {**_content(self), "signature": self.signature.hex()}

    def signed_by(self, public: bytes) -> bool:
        """Whether it is signed with the 32-byte public key."""
        return verify_signature(public, canonical_bytes(_content(self)), self.signature)


def key_id_of(public: bytes) -> str:
    """The name of an Ed25519 public key: 16 hex digits of its SHA-256."""
    return sha256_hex(public)[:KEY_ID_DIGITS]


def sign(tenant_id: UUID, link: Link, *, number: int, created_at: datetime, key: SigningKey) -> Checkpoint:
    """The checkpoint of `link`."""
    unsigned = Checkpoint(
        tenant_id=tenant_id,
        number=number,
        sequence=link.sequence,
        event_id=link.event_id,
        digest=link.digest,
        created_at=created_at,
        key_id=key_id_of(key.public),
        signature=b"",
    )
    return replace(unsigned, signature=key.sign(canonical_bytes(_content(unsigned))))


def checkpoint_from(text: bytes) -> Checkpoint:
    """The checkpoint that a file holds. Whether it is rightly signed is another matter.
    Raises InvalidInput."""
    try:
        return _read(json_value(text))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise InvalidInput(f"this is no audit checkpoint: {type(error).__name__}: {error}") from None


def _read(given: Mapping[str, Any]) -> Checkpoint:
    if given["type"] != TYPE or given["version"] != VERSION:
        raise ValueError(f"it must be of type {TYPE}, version {VERSION}")
    return Checkpoint(
        tenant_id=UUID(given["tenant_id"]),
        number=_count(given["number"]),
        sequence=_count(given["sequence"]),
        event_id=UUID(given["event_id"]),
        digest=bytes.fromhex(given["link"]),
        created_at=datetime.fromisoformat(given["created_at"]),
        key_id=str(given["key_id"]),
        signature=bytes.fromhex(given["signature"]),
    )


def _count(given: object) -> int:
    if not isinstance(given, int) or isinstance(given, bool) or not 0 < given < 2**53:
        raise ValueError("number and sequence count from 1")
    return given


def _content(checkpoint: Checkpoint) -> dict[str, Any]:
    return {
        "type": TYPE,
        "version": VERSION,
        "tenant_id": str(checkpoint.tenant_id),
        "number": checkpoint.number,
        "sequence": checkpoint.sequence,
        "event_id": str(checkpoint.event_id),
        "link": checkpoint.digest.hex(),
        "created_at": iso(checkpoint.created_at),
        "key_id": checkpoint.key_id,
    }
