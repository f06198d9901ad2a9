"""Counts and times every request, by route."""

import time
from typing import Any

from soma.interfaces.http.guard import Application, Message, Receive, Scope, Send
from soma.interfaces.http.trace import SCOPE_ROUTE
from soma.interfaces.metrics import REQUEST_SECONDS, REQUESTS

UNMATCHED = "unmatched"
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


class Measured:
    """ASGI: hands every request on and measures how it is answered."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        started = time.perf_counter()

        async def measured(message: Message) -> None:
            if message["type"] == "http.response.start":
                _measure(scope, message["status"], time.perf_counter() - started)
            await send(message)

        await self._application(scope, receive, measured)


def _measure(scope: Any, status: int, seconds: float) -> None:
    # Method and route come from a closed set: a label that a caller could choose would grow without end.
    method = scope["method"] if scope["method"] in METHODS else "other"
    route = scope.get(SCOPE_ROUTE, UNMATCHED)
    REQUESTS.labels(method, route, str(status)).inc()
    REQUEST_SECONDS.labels(method, route).observe(seconds)
