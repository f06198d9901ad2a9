"""The page and the parts of it that htmx fetches."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods
from pydantic import ValidationError

from soma.agent.api import MAXIMUM_MESSAGE_BYTES
from soma.base.errors import InvalidInput, NotFound, Unauthenticated
from soma.base.ids import parse_id
from soma.interfaces.console import assets
from soma.interfaces.console.edge import edge, signed_in
from soma.interfaces.http.access import audited, principal_of
from soma.interfaces.http.documents.chat import ConversationRequest
from soma.interfaces.runtime import current

LISTED = 100
"""Conversations in the rail."""


@require_GET
@edge
async def console(request: HttpRequest) -> HttpResponse:
    """The page, with the conversation `?c=` open; or the sign-in page."""
    try:
        return await _page(request)
    except Unauthenticated:
        return render(request, "console/signin.html", {"assets": assets.root()})


@signed_in("chat:read")
async def _page(request: HttpRequest) -> HttpResponse:
    agent, principal = current().agent, principal_of(request)
    context: dict[str, object] = {
        "conversations": await agent.conversations(principal, limit=LISTED),
        "message_limit": MAXIMUM_MESSAGE_BYTES,
        "assets": assets.root(),
    }
    wanted = request.GET.get("c", "")
    conversation_id = parse_id(wanted)
    try:
        if conversation_id is not None:
            context["conversation"] = await agent.conversation(principal, conversation_id)
            context["open_id"] = conversation_id
    except NotFound:
        conversation_id = None
    context["missing"] = bool(wanted) and conversation_id is None
    return render(request, "console/page.html", context, status=404 if context["missing"] else 200)


@require_http_methods(["GET", "POST"])
@edge
async def conversations(request: HttpRequest) -> HttpResponse:
    """GET: the rail's list. POST: begin a conversation and open it."""
    return await (_begin(request) if request.method == "POST" else _list(request))


@signed_in("chat:read")
async def _list(request: HttpRequest) -> HttpResponse:
    entries = await current().agent.conversations(principal_of(request), limit=LISTED)
    return render(request, "console/_conversations.html", {"conversations": entries})


@signed_in("chat:write")
async def _begin(request: HttpRequest) -> HttpResponse:
    return await _begun(request, _title(request))


@audited
async def _begun(request: HttpRequest, title: str | None) -> HttpResponse:
    begun = await current().agent.create_conversation(principal_of(request), title=title)
    response = render(request, "console/_conversation.html", {"conversation": begun}, status=201)
    response["HX-Push-Url"] = f"/?c={begun.id}"
    return response


@require_GET
@edge
@signed_in("chat:read")
async def conversation(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """The dialogue of one conversation."""
    found = await current().agent.conversation(principal_of(request), conversation_id)
    return render(request, "console/_conversation.html", {"conversation": found})


def _title(request: HttpRequest) -> str | None:
    """The title that the form gives. Raises InvalidInput."""
    try:
        return ConversationRequest(title=request.POST.get("title", "").strip() or None).title
    except ValidationError as error:
        raise InvalidInput(f"title: {error.errors()[0]['msg']}") from None
