"""Rate limits at the edge: who is counted, and what a response says of it."""

from typing import Any, cast

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest

from soma.identity.api import RateDecision
from soma.interfaces.http.guard import Application, Message, Receive, Scope, Send

SCOPE_RATES = "soma.rates"


def address_of(request: HttpRequest) -> str:
    """Where the request came from; behind a proxy that the server trusts, where that says so."""
    return str(request.META.get("REMOTE_ADDR", ""))


def note(request: HttpRequest, decisions: tuple[RateDecision, ...]) -> None:
    """Have the response tell what `decisions` leave."""
    scope = cast("dict[str, Any]", cast(ASGIRequest, request).scope)
    scope[SCOPE_RATES] = decisions


class RateHeaders:
    """ASGI: puts `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers) on the responses
    to requests that were counted."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""

        async def told(message: Message) -> None:
            decisions = scope.get(SCOPE_RATES)
            if decisions and message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *_headers(decisions)]}
            await send(message)

        await self._application(scope, receive, told)


def _headers(decisions: tuple[RateDecision, ...]) -> list[tuple[bytes, bytes]]:
    policies, left = [], []
    for decision in decisions:
        window = decision.window
        name = window.key.partition(":")[0]
        policies.append(f'"{name}";q={window.limit};w={round(window.span.total_seconds())}')
        left.append(f'"{name}";r={decision.remaining}')
    return [
        (b"ratelimit-policy", ", ".join(policies).encode()),
        (b"ratelimit", ", ".join(left).encode()),
    ]
