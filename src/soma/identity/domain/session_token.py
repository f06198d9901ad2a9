"""The token of a session: a JWT, HS256, of at most 900 seconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt

from soma.base.errors import Unauthenticated

LIFETIME = timedelta(seconds=900)
ISSUER = "somastack"
ALGORITHM = "HS256"
SECRET_BYTES = 32
"""Shortest secret: as long as the digest (RFC 7518, 3.2)."""
MAXIMUM_LENGTH = 4096
CLAIMS = ("sub", "tid", "sid", "roles", "iat", "exp", "iss")


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionClaims:
    """What a token says. That its session is alive, only the database knows."""

    tenant_id: UUID
    user_id: UUID
    session_id: UUID
    roles: tuple[str, ...]
    issued_at: datetime
    expires_at: datetime


class SessionTokens:
    """Signs and reads tokens with one secret."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < SECRET_BYTES:
            raise ValueError(f"the secret of the session tokens has fewer than {SECRET_BYTES} bytes")
        self._secret = secret

    def sign(self, claims: SessionClaims) -> str:
        """The token that says `claims`."""
        payload = {
            "iss": ISSUER,
            "sub": str(claims.user_id),
            "tid": str(claims.tenant_id),
            "sid": str(claims.session_id),
            "roles": list(claims.roles),
            "iat": int(claims.issued_at.timestamp()),
            "exp": int(claims.expires_at.timestamp()),
        }
        return jwt.encode(payload, self._secret, algorithm=ALGORITHM)

    def read(self, token: str, now: datetime) -> SessionClaims:
        """What `token` says, if its signature, issuer and times hold at `now`.

        Raises Unauthenticated, the same for every fault.
        """
        try:
            claims = _claims(self._payload(token))
        except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError, OverflowError):
            raise refusal() from None
        if not now < claims.expires_at <= claims.issued_at + LIFETIME:
            raise refusal()
        return claims

    def _payload(self, token: str) -> Mapping[str, Any]:
        if len(token) > MAXIMUM_LENGTH:
            raise ValueError("too long")
        # `read` compares the times, on its caller's clock; a token from a machine whose clock is a little
        # ahead of ours is issued in our future, and good.
        options: Any = {"require": list(CLAIMS), "verify_exp": False, "verify_iat": False}
        payload: dict[str, Any] = jwt.decode(
            token, self._secret, algorithms=[ALGORITHM], issuer=ISSUER, options=options
        )
        return payload


def refusal() -> Unauthenticated:
    """The one answer to every credential that is no good: which part failed is nobody's business."""
    return Unauthenticated("The credential is not valid, or no longer.")


def _claims(payload: Mapping[str, Any]) -> SessionClaims:
    return SessionClaims(
        tenant_id=UUID(payload["tid"]),
        user_id=UUID(payload["sub"]),
        session_id=UUID(payload["sid"]),
        roles=tuple(payload["roles"]),
        issued_at=_moment(payload["iat"]),
        expires_at=_moment(payload["exp"]),
    )


def _moment(seconds: Any) -> datetime:
    if type(seconds) is not int:
        raise TypeError("a time of a token is a whole number of seconds")
    return datetime.fromtimestamp(seconds, UTC)
