"""The audit chain: what it proves, and with which key."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, PlainSerializer

from soma.base.clock import iso
from soma.interfaces.http.documents.base import Given, Sent, Time

Id = Annotated[UUID, Field(strict=False)]
Count = Annotated[int, Field(ge=1, lt=2**53)]
Moment = Annotated[Time, PlainSerializer(iso, return_type=str)]
"""As it was signed: in UTC, with microseconds."""
Link = Annotated[str, Field(pattern="^[0-9a-f]{128}$", description="SHA3-512, 128 hex digits.")]
KeyId = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]


class Checkpoint(Sent):
    """A link that was signed: `signature` is Ed25519 over the RFC 8785 bytes of all other members."""

    type: Literal["soma.audit.checkpoint"]
    version: Literal[1]
    tenant_id: Id
    number: Count
    sequence: Count
    event_id: Id
    link: Link
    created_at: Moment
    key_id: KeyId
    signature: Annotated[str, Field(pattern="^[0-9a-f]{128}$", description="64 bytes in hex.")]


class VerifyRequest(Sent):
    """What to verify: all that follows a checkpoint that you have kept, and that the log still holds it."""

    checkpoint: Checkpoint


class Break(Given):
    """The first event where the log is not what was recorded. `event_id` is null where nothing is left that
    names it."""

    sequence: int
    event_id: UUID | None
    fault: Literal["changed", "removed", "inserted", "reordered", "truncated"]
    part: Literal["event", "link", "checkpoint"]
    detail: str


class AuditReport(Given):
    """What was found. `events` between `after` and `sequence` fit their links; `expired` ones are older than
    the log keeps. Everything up to `proven` is signed, the last time by `checkpoint`."""

    tenant_id: UUID
    intact: bool
    after: int
    sequence: int
    link: Link
    events: int
    expired: int
    checkpoints: int
    proven: int
    checkpoint: Checkpoint | None
    broken: Break | None


class PublicKey(Given):
    """The Ed25519 key that checkpoints are signed with, 32 bytes in hex. Keep it where the log is not."""

    key_id: KeyId
    algorithm: Literal["Ed25519"]
    public: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
