"""The events of the caller's own memory, asked by their roles."""

from django.http import HttpRequest
from ninja import Router

from soma.brain.api import FrameMethod, FrameQuestion, owned_namespace
from soma.interfaces.http.access import SessionToken, principal_of
from soma.interfaces.http.documents.memory_frames import FrameAnswers, FrameQuery
from soma.interfaces.runtime import current

router = Router(tags=["memory"])


@router.post("/v1/memory/frames", auth=SessionToken("memory:read"), response=FrameAnswers)
async def ask_frame(request: HttpRequest, asked: FrameQuery) -> FrameAnswers:
    """Who, what, when, where or why, of what memory was told."""
    runtime, principal = current(), principal_of(request)
    question = FrameQuestion(
        tenant_id=principal.tenant_id,
        namespace=owned_namespace(principal.user_id, asked.namespace),
        known={str(role): text for role, text in asked.known.items()},
        wanted=asked.wanted,
        top_k=asked.top_k,
        method=None if asked.method is None else FrameMethod(asked.method),
    )
    return FrameAnswers.model_validate(await runtime.database.run(runtime.brain.ask_frame, question))
