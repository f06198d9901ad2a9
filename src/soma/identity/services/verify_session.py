"""Whether the session behind a token is alive."""

from datetime import datetime

from django.db.models import QuerySet

from soma.base.database import tenant_transaction
from soma.base.tenancy import Principal
from soma.identity.domain.session_token import SessionClaims, refusal
from soma.identity.models import Session


def alive(principal: SessionClaims | Principal, now: datetime) -> QuerySet[Session]:
    """The session of `principal`, if it has neither ended nor expired."""
    return Session.objects.filter(
        id=principal.session_id, user_id=principal.user_id, revoked_at=None, expires_at__gt=now
    )


def verify_session(claims: SessionClaims, now: datetime) -> Principal:
    """Whom the token speaks for, with the role that the user has by now. Raises Unauthenticated.

    The row is read each time: a revoked session is refused at once, in every process.
    """
    with tenant_transaction(claims.tenant_id):
        role = alive(claims, now).values_list("user__role", flat=True).first()
    if role is None:
        raise refusal()
    return speaker(claims, role)


def speaker(claims: SessionClaims, role: str) -> Principal:
    """Whom the token speaks for."""
    return Principal(
        tenant_id=claims.tenant_id, user_id=claims.user_id, session_id=claims.session_id, roles=(role,)
    )
