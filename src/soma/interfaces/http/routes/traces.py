"""Traces: every decision of a turn, with times, evidence, weights before and after."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router

from soma.interfaces.http.access import SessionToken, principal_of
from soma.interfaces.runtime import current

router = Router(tags=["trace"])


@router.get(
    "/api/v2/chat/turns/{uuid:turn_id}/trace", auth=SessionToken("trace:read"), response=dict[str, Any]
)
async def trace_turn(request: HttpRequest, turn_id: UUID) -> dict[str, Any]:
    """The complete decision trace of one turn."""
    return await current().agent.trace(principal_of(request), turn_id)


@router.get(
    "/api/v2/chat/conversations/{uuid:conversation_id}/trace",
    auth=SessionToken("trace:read"),
    response=dict[str, Any],
)
async def trace_conversation(request: HttpRequest, conversation_id: UUID) -> dict[str, Any]:
    """The traces of a conversation's turns, oldest first."""
    return await current().agent.conversation_trace(principal_of(request), conversation_id)
