"""Credentials as they are handed out, in clear."""

from dataclasses import dataclass, field
from uuid import UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class Minted:
    """A session's token. `expires_in` is in seconds."""

    jwt: str = field(repr=False)
    expires_in: int
    session_id: UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class NewUser:
    """A user with an API key in clear, which is kept nowhere else."""

    tenant_id: UUID
    user_id: UUID
    token: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class BootstrapOwner:
    """The owner of the installation. `token` is None unless this very call made the first key."""

    tenant_id: UUID
    user_id: UUID
    token: str | None = field(repr=False)
