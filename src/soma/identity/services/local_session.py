"""A session for whoever runs this installation, and so needs no credential."""

from datetime import datetime

from soma.base.database import tenant_transaction
from soma.base.tenancy import Principal
from soma.identity.domain.role import Role
from soma.identity.domain.session_terms import SessionTerms
from soma.identity.ports import TenantRoles
from soma.identity.services.bootstrap_owner import ensure_tenant, first_owner
from soma.identity.services.open_session import open_session


def local_session(slug: str, now: datetime, roles: TenantRoles) -> Principal:
    """The owner of the tenant `slug`, made where missing, in a new session."""
    tenant_id = ensure_tenant(slug, roles)
    with tenant_transaction(tenant_id):
        claims = open_session(
            tenant_id=tenant_id,
            user_id=first_owner(),
            role=Role.OWNER,
            terms=SessionTerms(),
            now=now,
            trace_id="",
        )
    return Principal(
        tenant_id=tenant_id, user_id=claims.user_id, session_id=claims.session_id, roles=claims.roles
    )
