"""Traces: every decision of a turn, with times, evidence, weights before and after; and replays."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router

from soma.agent.api import ReplayMode
from soma.interfaces.http.access import SessionToken, audited, principal_of
from soma.interfaces.http.documents.replay import ReplayReport, ReplayRequest
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


@router.post(
    "/api/v2/chat/turns/{uuid:turn_id}/replay", auth=SessionToken("trace:read"), response=ReplayReport
)
@audited
async def replay_turn(request: HttpRequest, turn_id: UUID, sent: ReplayRequest) -> ReplayReport:
    """The turn rebuilt from the log alone, or run again, and the first step that differs."""
    report = await current().agent.replay(principal_of(request), turn_id, ReplayMode(sent.mode))
    return ReplayReport.model_validate(report.to_dict())
