"""The beginning of a session."""

from datetime import datetime, timedelta
from uuid import UUID

from soma.base.ids import new_id
from soma.events.api import Event, publish
from soma.identity.domain.session_terms import SessionTerms
from soma.identity.domain.session_token import LIFETIME, SessionClaims
from soma.identity.models import Session

LONGEST = timedelta(hours=12)
"""No session outlives this, however often it is refreshed."""


def open_session(
    *, tenant_id: UUID, user_id: UUID, role: str, terms: SessionTerms, now: datetime, trace_id: str
) -> SessionClaims:
    """A session's row and event, in the open transaction of `tenant_id`; what its token has to say."""
    session = Session(
        id=new_id(),
        tenant_id=tenant_id,
        user_id=user_id,
        persona_hash=terms.persona_hash,
        policy_hash=terms.policy_hash,
        budgets=dict(terms.budgets),
        created_at=now,
        expires_at=now + LIFETIME,
        ends_at=now + LONGEST,
    )
    session.save(force_insert=True)
    publish(session_event("identity.session_minted", tenant_id, session.id, user_id, now, trace_id))
    return SessionClaims(
        tenant_id=tenant_id,
        user_id=user_id,
        session_id=session.id,
        roles=(role,),
        issued_at=now,
        expires_at=session.expires_at,
    )


def session_event(
    event_type: str, tenant_id: UUID, session_id: UUID, user_id: UUID, now: datetime, trace_id: str
) -> Event:
    """The fact `event_type` about a session."""
    return Event(
        tenant_id=tenant_id,
        type=event_type,
        key=str(session_id),
        payload={"session_id": str(session_id), "user_id": str(user_id)},
        trace_id=trace_id,
        occurred_at=now,
    )
