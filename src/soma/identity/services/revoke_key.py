"""An API key ends."""

from datetime import datetime

from soma.base.database import tenant_transaction
from soma.base.errors import NotFound
from soma.base.tenancy import Principal
from soma.events.api import publish
from soma.identity.models import ApiKey, Session
from soma.identity.services.open_session import session_event
from soma.identity.services.session_epoch import begin_epoch


def revoke_key(principal: Principal, prefix: str, now: datetime) -> None:
    """End a key of the caller's user, and every session of the user: the key may have opened any of them.

    Raises NotFound.
    """
    user_id, tenant_id = principal.user_id, principal.tenant_id
    with tenant_transaction(tenant_id):
        keys = ApiKey.objects.filter(prefix=prefix, user_id=user_id, revoked_at=None)
        if not keys.update(revoked_at=now):
            raise NotFound("There is no such key.")
        open_sessions = Session.objects.filter(user_id=user_id, revoked_at=None, expires_at__gt=now)
        ended = list(open_sessions.select_for_update().values_list("id", flat=True))
        Session.objects.filter(id__in=ended).update(revoked_at=now)
        begin_epoch(tenant_id)
        publish(
            *(
                session_event(
                    "identity.session_revoked", tenant_id, session, user_id, now, principal.trace_id
                )
                for session in ended
            )
        )
