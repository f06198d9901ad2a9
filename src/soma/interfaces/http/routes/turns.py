"""Turns: where they stand, their events, their end."""

from typing import Annotated
from uuid import UUID

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja import Header, Query, Router

from soma.interfaces.http.access import SessionToken, audited, principal_of
from soma.interfaces.http.documents.chat import Turn
from soma.interfaces.http.sse import event_stream, resume_point
from soma.interfaces.runtime import current

router = Router(tags=["turn"])


@router.get("/api/v2/chat/turns/{uuid:turn_id}", auth=SessionToken("chat:read"), response=Turn)
async def read_turn(request: HttpRequest, turn_id: UUID) -> Turn:
    """Where the turn stands, and how it ended."""
    return Turn.model_validate(await current().agent.turn(principal_of(request), turn_id))


@router.get("/api/v2/chat/turns/{uuid:turn_id}/events", auth=SessionToken("chat:read"))
async def stream_turn(
    request: HttpRequest,
    turn_id: UUID,
    after: Annotated[
        str | None, Query(description="As Last-Event-ID, for clients that cannot set it.")
    ] = None,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID")] = None,
) -> HttpResponseBase:
    """The turn's events as server-sent events, after the one named by Last-Event-ID."""
    runtime, principal = current(), principal_of(request)
    point = resume_point(last_event_id or after)
    await runtime.agent.turn(principal, turn_id)
    return event_stream(runtime, runtime.agent.stream(principal, turn_id, after=point))


@router.post("/api/v2/chat/turns/{uuid:turn_id}/cancel", auth=SessionToken("chat:write"), response=Turn)
@audited
async def cancel_turn(request: HttpRequest, turn_id: UUID) -> Turn:
    """Stop the turn within a second; what it has committed stays."""
    return Turn.model_validate(await current().agent.cancel(principal_of(request), turn_id))
