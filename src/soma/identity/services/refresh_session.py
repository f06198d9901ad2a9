"""A session goes on."""

from datetime import datetime

from soma.base.database import tenant_transaction
from soma.base.tenancy import Principal
from soma.identity.domain.session_token import LIFETIME, SessionClaims, refusal
from soma.identity.services.verify_session import alive


def refresh_session(principal: Principal, now: datetime) -> SessionClaims:
    """What the next token of a session that is alive has to say. Raises Unauthenticated."""
    with tenant_transaction(principal.tenant_id):
        session = alive(principal, now)
        row = session.values_list("ends_at", "user__role").first()
        if row is None:
            raise refusal()
        ends_at, role = row
        expires_at = min(now + LIFETIME, ends_at)
        if not session.update(expires_at=expires_at):
            raise refusal()
    return SessionClaims(
        tenant_id=principal.tenant_id,
        user_id=principal.user_id,
        session_id=principal.session_id,
        roles=(role,),
        issued_at=now,
        expires_at=expires_at,
    )
