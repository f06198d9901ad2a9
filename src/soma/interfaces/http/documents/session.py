"""Sessions."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from soma.interfaces.http.documents.base import Given, Sent, Text


class SessionRequest(Sent):
    """What a session is for. The tenant, if named, must be that of the key."""

    tenant: Text | None = None
    persona_hash: Text | None = None
    policy_hash: Text | None = None
    budgets: dict[Text, Annotated[float, Field(ge=0, allow_inf_nan=False)]] = {}


class SessionGrant(Given):
    """A session's token. It is also set as the cookie `soma_session`."""

    jwt: str
    expires_in: int
    session_id: UUID
