"""A session for an API key."""

from datetime import datetime
from uuid import UUID

from soma.base.database import tenant_transaction
from soma.base.errors import Denied
from soma.base.tenancy import Principal
from soma.identity.domain.session_terms import SessionTerms
from soma.identity.domain.session_token import SessionClaims
from soma.identity.models import ApiKey
from soma.identity.services.open_session import open_session


def mint_session(
    principal: Principal, *, tenant: UUID | str | None, terms: SessionTerms, now: datetime
) -> SessionClaims:
    """A session of the key that `principal` was authenticated by.

    Raises Denied when `tenant` is another than the key's, and when it was no key, or no longer is: a
    session that could mint sessions would never end.
    """
    if tenant is not None and str(tenant).lower() != str(principal.tenant_id):
        raise Denied("The request names another tenant than the token's.")
    with tenant_transaction(principal.tenant_id):
        role = (
            ApiKey.objects.filter(id=principal.session_id, user_id=principal.user_id, revoked_at=None)
            .values_list("user__role", flat=True)
            .first()
        )
        if role is None:
            raise Denied("Only an API key begins a session.")
        return open_session(
            tenant_id=principal.tenant_id,
            user_id=principal.user_id,
            role=role,
            terms=terms,
            now=now,
            trace_id=principal.trace_id,
        )
