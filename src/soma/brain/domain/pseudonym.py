"""Tokens that stand for personal data: equal for equal values of one tenant, and telling nothing else."""

import hmac
from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from soma.brain.domain.personal.finding import Finding

SECRET_BYTES = 32
TOKEN_DIGITS = 16
"""Hexadecimal: 64 bits, so that among a million values two are as good as never taken for one."""


class Pseudonyms:
    """The tokens of an installation, whose `secret` (SECRET_BYTES) no tenant's tokens tell."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != SECRET_BYTES:
            raise ValueError(f"the secret has {len(secret)} bytes; {SECRET_BYTES} are expected")
        self._secret = secret
        self._key = lru_cache(maxsize=1_024)(self._derived)

    def token(self, tenant_id: UUID, finding: Finding) -> str:
        """What stands for the finding's value: `[card:3f9a1c2b5e6d7f80]`."""
        digest = self.digest(tenant_id, f"{finding.data}:{finding.canonical}")
        return f"[{finding.data}:{digest[:TOKEN_DIGITS]}]"

    def digest(self, tenant_id: UUID, value: str) -> str:
        """HMAC-SHA256 of `value` under the tenant's key, 64 hex digits."""
        return hmac.new(self._key(tenant_id), value.encode(), sha256).hexdigest()

    def replaced(self, tenant_id: UUID, text: str, findings: Iterable[Finding]) -> str:
        """`text` with a token in the place of each of `findings`, which are in order and apart."""
        parts, end = [], 0
        for each in findings:
            parts += [text[end : each.start], self.token(tenant_id, each)]
            end = each.end
        return "".join([*parts, text[end:]])

    def _derived(self, tenant_id: UUID) -> bytes:
        info = b"soma.memory.pseudonym:" + tenant_id.bytes
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(self._secret)
