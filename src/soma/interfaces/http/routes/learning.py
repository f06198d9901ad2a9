"""What agents learn: telling them what was good, looking at it, and going back."""

from typing import Annotated
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router

from soma.agent.api import RollbackTarget
from soma.interfaces.http.access import SessionToken, audited, principal_of
from soma.interfaces.http.documents.learning import (
    FeedbackRequest,
    FeedbackTaken,
    LearningFeedback,
    LearningState,
    RollbackRequest,
    RolledBack,
)
from soma.interfaces.http.idempotency import IdempotencyKey
from soma.interfaces.runtime import current

router = Router(tags=["learning"])
ALIASES = {
    "/v1/brain/feedback": "brain_feedback",
    "/context/feedback": "context_feedback",
    "/feedback": "plain_feedback",
}
"""Other addresses of /v1/learning/feedback, each with the name of its operation."""


@router.get("/v1/learning/state/{agent}", auth=SessionToken("learning:read"), response=LearningState)
async def learning_state(
    request: HttpRequest, agent: str, limit: Annotated[int, Query()] = 20
) -> LearningState:
    """What an agent (name or id) has learned, with its latest `limit` (1 to 500) checkpoints."""
    found = await current().agent.learning(principal_of(request), agent, checkpoints=limit)
    return LearningState.model_validate(found)


@router.post("/v1/learning/rollback", auth=SessionToken("agent:rollback"), response=RolledBack)
@audited
async def roll_back(request: HttpRequest, wanted: RollbackRequest) -> RolledBack:
    """Return an agent to where a turn, or a checkpoint, left it: weights, neuromodulators, rankings. The
    answer is a new checkpoint that names the old one."""
    target = RollbackTarget(**wanted.model_dump())
    return RolledBack.model_validate(await current().agent.roll_back(principal_of(request), target))


@router.post(
    "/api/v2/chat/turns/{uuid:turn_id}/feedback", auth=SessionToken("learning:write"), response=FeedbackTaken
)
@audited
async def turn_feedback(
    request: HttpRequest, turn_id: UUID, given: FeedbackRequest, idempotency_key: IdempotencyKey = None
) -> FeedbackTaken:
    """Say what one thinks of a turn's answer: the agent learns from it. The same again changes nothing; what
    is said later takes its place."""
    return await _taken(request, turn_id, given, idempotency_key)


@router.post("/v1/learning/feedback", auth=SessionToken("learning:write"), response=FeedbackTaken)
@audited
async def feedback(
    request: HttpRequest, given: LearningFeedback, idempotency_key: IdempotencyKey = None
) -> FeedbackTaken:
    """The same for the turn that the body names."""
    return await _taken(request, given.turn_id, given, idempotency_key)


for address, name in ALIASES.items():
    router.post(
        address,
        auth=SessionToken("learning:write"),
        response=FeedbackTaken,
        operation_id=name,
        deprecated=True,
    )(feedback)


async def _taken(
    request: HttpRequest, turn_id: UUID, given: FeedbackRequest, key: str | None
) -> FeedbackTaken:
    taken = await current().agent.feedback(principal_of(request), turn_id, given.said(), idempotency_key=key)
    return FeedbackTaken.model_validate(taken)
