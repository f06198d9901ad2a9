"""Conversations and the messages sent to them."""

from typing import Annotated
from uuid import UUID

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja import Query, Router, Status

from soma.base.errors import Denied
from soma.base.tenancy import Principal
from soma.interfaces.http.access import SessionToken, audited, principal_of
from soma.interfaces.http.documents.chat import (
    Accepted,
    Conversation,
    ConversationRequest,
    Conversations,
    MessageRequest,
)
from soma.interfaces.http.idempotency import IdempotencyKey
from soma.interfaces.http.sse import event_stream, wants_stream
from soma.interfaces.runtime import current

router = Router(tags=["chat"])


@router.post("/api/v2/chat/conversations", auth=SessionToken("chat:write"), response={201: Conversation})
@audited
async def create_conversation(request: HttpRequest, wanted: ConversationRequest) -> Status[Conversation]:
    """Begin a conversation."""
    begun = await current().agent.create_conversation(
        principal_of(request), title=wanted.title, agent=wanted.agent
    )
    return Status(201, Conversation.model_validate(begun))


@router.get("/api/v2/chat/conversations", auth=SessionToken("chat:read"), response=Conversations)
async def list_conversations(
    request: HttpRequest, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> Conversations:
    """The latest conversations, newest first."""
    items = await current().agent.conversations(principal_of(request), limit=limit)
    return Conversations.model_validate({"items": items})


@router.get(
    "/api/v2/chat/conversations/{uuid:conversation_id}",
    auth=SessionToken("chat:read"),
    response=Conversation,
)
async def read_conversation(request: HttpRequest, conversation_id: UUID) -> Conversation:
    """A conversation with its messages, oldest first."""
    found = await current().agent.conversation(principal_of(request), conversation_id)
    return Conversation.model_validate(found)


@router.post(
    "/api/v2/chat/conversations/{uuid:conversation_id}/messages",
    auth=SessionToken("chat:write", turn=True),
    response={202: Accepted},
)
@audited
async def send_message(
    request: HttpRequest,
    conversation_id: UUID,
    message: MessageRequest,
    idempotency_key: IdempotencyKey = None,
) -> Status[Accepted] | HttpResponseBase:
    """Send a message, which begins a turn. With `Accept: text/event-stream` the answer is the stream."""
    runtime, principal = current(), principal_of(request)
    _agree(message, principal, conversation_id)
    accepted = await runtime.agent.send_message(
        principal, conversation_id, message.message, seed=message.seed, idempotency_key=idempotency_key
    )
    if wants_stream(request):
        return event_stream(runtime, runtime.agent.stream(principal, accepted.turn_id))
    return Status(202, Accepted.model_validate(accepted))


def _agree(message: MessageRequest, principal: Principal, conversation_id: UUID) -> None:
    """Raises Denied when the body names another conversation, user or tenant than address and token do."""
    same = (
        message.conversation_id in {None, conversation_id}
        and message.user_id in {None, principal.user_id}
        and message.tenant_id in {None, principal.tenant_id}
    )
    if not same:
        raise Denied("the body names another conversation, user or tenant than the address and the token")
