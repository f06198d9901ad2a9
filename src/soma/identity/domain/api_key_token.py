"""The text of an API key: `soma_<tenant id, 32 hex digits>_<43 characters of secret>`.

It names its tenant, since nothing can be looked up before a tenant is set.
"""

import hmac
import re
import secrets
from dataclasses import dataclass, field
from uuid import UUID

from soma.base.canonical import sha256_hex

PREFIX_LENGTH = 8
PATTERN = re.compile(r"soma_([0-9a-f]{32})_([A-Za-z0-9_-]{43})", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiKeyToken:
    """A key in clear. `secret` is 256 random bits in URL-safe base64."""

    tenant_id: UUID
    secret: str = field(repr=False)

    @classmethod
    def new(cls, tenant_id: UUID) -> "ApiKeyToken":
        """A key that nobody has had before."""
        return cls(tenant_id=tenant_id, secret=secrets.token_urlsafe(32))

    @classmethod
    def parse(cls, text: str) -> "ApiKeyToken | None":
        """The key that `text` spells, None if it spells none."""
        match = PATTERN.fullmatch(text)
        return cls(tenant_id=UUID(hex=match[1]), secret=match[2]) if match else None

    @property
    def text(self) -> str:
        """What is shown to its owner, once."""
        return f"soma_{self.tenant_id.hex}_{self.secret}"

    @property
    def prefix(self) -> str:
        """The part that is kept in clear, to find the row by; 208 secret bits remain."""
        return self.secret[:PREFIX_LENGTH]

    @property
    def digest(self) -> str:
        """What is kept: the SHA-256 of the text (hex). The secret is random, so it needs no salt."""
        return sha256_hex(self.text.encode())

    def matches(self, digest: str) -> bool:
        """Whether `digest` is this key's, in a time that does not depend on where they differ."""
        return hmac.compare_digest(self.digest, digest)
