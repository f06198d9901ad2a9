"""What is refused before Django sees it, since Django reads a body whole before any view runs."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from soma.base.errors import LimitExceeded
from soma.interfaces.http.problem import MEDIA_TYPE, kind_of, problem_bytes
from soma.interfaces.http.trace import HEADER, trace_of

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]

BODY_LIMIT = 1_048_576
"""Bytes in a request's body."""
BODY_LIMITS = {
    "/v1/memory/import": 16 * BODY_LIMIT,
    "/v1/memory/capsule/upload": 4 * BODY_LIMIT,
    "/rag/ingest": 32 * BODY_LIMIT + 65_536,
}
"""Where it may be larger: Django puts a large body on the disk. A document may have 32 MiB, and the form
around it needs some more."""
DISCARD_LIMIT = 16 * BODY_LIMIT
"""Bytes read and dropped past the limit: a client that is still writing would not see our answer."""
DISCARD_SECONDS = 2.0
SHUT_OUT = 1008
"""The WebSocket close code for a policy violation."""


class Guard:
    """Refuses bodies past the limit, also those that come in chunks, and WebSockets."""

    def __init__(
        self,
        application: Application,
        *,
        body_limit: int = BODY_LIMIT,
        body_limits: Mapping[str, int] = BODY_LIMITS,
    ) -> None:
        self._application = application
        self._limit = body_limit
        self._limits = body_limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": SHUT_OUT})
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await self._application(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        limit = self._limits.get(scope["path"], self._limit)
        counted = _Counted(receive, limit)
        try:
            _require_length(scope, limit)
            await self._application(scope, counted.receive, send)
            counted.require_within_limit()
        except _TooLarge as refused:
            await _discard(scope, receive, refused)
            await _answer(scope, send, refused.error)


def _require_length(scope: Scope, limit: int) -> None:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value) > limit:
            raise _too_large(limit, int(value))


class _Counted:
    """Receives a body up to `limit` bytes. Past it the application is told that the client has gone, so
    that it lets go of what it has read and answers nothing."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._limit = limit
        self._seen = 0
        self._more = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._seen += len(message.get("body", b""))
        self._more = message.get("more_body", False)
        return {"type": "http.disconnect"} if self._seen > self._limit else message

    def require_within_limit(self) -> None:
        if self._seen > self._limit:
            raise _too_large(self._limit, self._seen, more=self._more)


class _TooLarge(Exception):
    """`more`: the client may still be sending."""

    def __init__(self, error: LimitExceeded, *, more: bool) -> None:
        super().__init__(error.detail)
        self.error = error
        self.more = more


def _too_large(limit: int, actual: int, *, more: bool = True) -> _TooLarge:
    return _TooLarge(LimitExceeded("request body", maximum=limit, actual=actual, unit="bytes"), more=more)


async def _discard(scope: Scope, receive: Receive, refused: _TooLarge) -> None:
    if not refused.more or any(name == b"expect" for name, _ in scope["headers"]):
        return
    try:
        async with asyncio.timeout(DISCARD_SECONDS):
            await _drop(receive)
    except TimeoutError:
        return


async def _drop(receive: Receive) -> None:
    dropped, more = 0, True
    while more and dropped < DISCARD_LIMIT:
        message = await receive()
        dropped += len(message.get("body", b""))
        more = message["type"] == "http.request" and message.get("more_body", False)


async def _answer(scope: Scope, send: Send, error: LimitExceeded) -> None:
    trace, kind = trace_of(scope), kind_of(error)
    body = problem_bytes(kind, error.detail, path=scope["path"], trace_id=trace, extra=error.extra)
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
        (HEADER.lower().encode(), trace.encode()),
    ]
    await send({"type": "http.response.start", "status": kind.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
