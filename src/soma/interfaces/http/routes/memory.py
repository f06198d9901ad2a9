"""Memory, asked and told directly: always the caller's own."""

from django.http import HttpRequest
from ninja import Router

from soma.base.clock import now
from soma.base.ids import new_id
from soma.base.tenancy import Principal
from soma.brain.api import RecallRequest, RememberItem
from soma.interfaces.http.access import SessionToken, audited, principal_of
from soma.interfaces.http.documents.memory import Item, Recalled, RecallQuery, Remembered, RememberRequest
from soma.interfaces.runtime import current

router = Router(tags=["memory"])


@router.post("/v1/memory/recall", auth=SessionToken("memory:read"), response=Recalled)
async def recall(request: HttpRequest, wanted: RecallQuery) -> Recalled:
    """What memory knows that bears on the query, explained."""
    runtime, principal = current(), principal_of(request)
    question = RecallRequest(
        tenant_id=principal.tenant_id,
        agent_id=None,
        namespace=str(principal.user_id),
        query=wanted.query,
        top_k=wanted.top_k,
        as_of=wanted.as_of,
        min_score=wanted.min_score,
    )
    return Recalled.model_validate(await runtime.database.run(runtime.brain.recall, question))


@router.post("/v1/memory/remember", auth=SessionToken("memory:write"), response=Remembered)
@audited
async def remember(request: HttpRequest, told: RememberRequest) -> Remembered:
    """Remember things; each is stored, known already, or refused with its reason."""
    runtime, principal = current(), principal_of(request)
    items = [_item(principal, item) for item in told.items]
    kept = await runtime.database.run(runtime.brain.remember, principal.tenant_id, items)
    return Remembered.model_validate(kept)


def _item(principal: Principal, item: Item) -> RememberItem:
    return RememberItem(
        namespace=str(principal.user_id),
        key=item.key or f"told:{new_id()}",
        content=item.content,
        role="user",
        occurred_at=item.occurred_at or now(),
        importance=item.importance,
        speaker=item.speaker,
        provenance={"trace_id": principal.trace_id, "source_request": principal.trace_id},
    )
