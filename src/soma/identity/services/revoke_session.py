"""A session ends before its time."""

from datetime import datetime
from uuid import UUID

from soma.base.database import tenant_transaction
from soma.base.errors import Denied, NotFound
from soma.base.tenancy import Principal
from soma.events.api import publish
from soma.identity.domain.role import Role
from soma.identity.models import Session
from soma.identity.services.open_session import session_event
from soma.identity.services.session_epoch import begin_epoch


def revoke_session(principal: Principal, session_id: UUID, now: datetime) -> None:
    """End a session; one that has ended stays as it is. Raises NotFound, Denied (another user's)."""
    with tenant_transaction(principal.tenant_id):
        user_id = Session.objects.filter(id=session_id).values_list("user_id", flat=True).first()
        if user_id is None:
            raise NotFound("There is no such session.")
        if user_id != principal.user_id and not {Role.OWNER, Role.OPERATOR} & set(principal.roles):
            raise Denied("The session is another user's.")
        if Session.objects.filter(id=session_id, revoked_at=None).update(revoked_at=now):
            begin_epoch(principal.tenant_id)
            publish(
                session_event(
                    "identity.session_revoked",
                    principal.tenant_id,
                    session_id,
                    user_id,
                    now,
                    principal.trace_id,
                )
            )
