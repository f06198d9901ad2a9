"""One trace id for each request: that of the caller's W3C traceparent, or a new one."""

import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, cast

from asgiref.sync import markcoroutinefunction
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from soma.interfaces.http.problem import BAD_REQUEST, METHOD_NOT_ALLOWED, problem_response

HEADER = "X-Trace-Id"
SCOPE_TRACE = "soma.trace_id"
SCOPE_ROUTE = "soma.route"
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked for by address rather than by name, and nothing that a page could profit from."""
_TRACEPARENT = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?"
)

_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")

GetResponse = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


def trace_of(scope: MutableMapping[str, Any]) -> str:
    """The trace id of an ASGI request, 32 hex digits; decided at the first call and kept in the scope."""
    if SCOPE_TRACE not in scope:
        scope[SCOPE_TRACE] = _from_traceparent(scope) or secrets.token_hex(16)
    return str(scope[SCOPE_TRACE])


def trace_id(request: HttpRequest) -> str:
    """The trace id of `request`, 32 hex digits."""
    return trace_of(_scope(request))


class TraceMiddleware:
    """Puts the trace id on every response, makes of a bare 405 a problem that carries it, and refuses
    requests for a host that is not ours: a page elsewhere could have its name point here."""

    sync_capable = False
    async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response
        markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer `request`."""
        trace = trace_id(request)
        response = await self._get_response(request) if _is_our_host(request) else _foreign_host(request)
        if request.resolver_match is not None:
            _scope(request)[SCOPE_ROUTE] = "/" + _PARAMETER.sub(r"{\1}", request.resolver_match.route)
        if response.status_code == 405:
            response = _not_allowed(request, response)
        response[HEADER] = trace
        return response


def _scope(request: HttpRequest) -> MutableMapping[str, Any]:
    return cast("dict[str, Any]", cast(ASGIRequest, request).scope)


def _is_our_host(request: HttpRequest) -> bool:
    if request.path in PROBES:
        return True
    try:
        request.get_host()
    except DisallowedHost:
        return False
    return True


def _foreign_host(request: HttpRequest) -> HttpResponseBase:
    detail = "the Host header names no host of this server; SOMAGENT_ALLOWED_HOSTS lists them"
    return problem_response(BAD_REQUEST, detail, path=request.path, trace_id=trace_id(request))


def _not_allowed(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    allowed = response.get("Allow", "")
    detail = f"{request.method} is not allowed here; allowed: {allowed}"
    problem = problem_response(METHOD_NOT_ALLOWED, detail, path=request.path, trace_id=trace_id(request))
    problem["Allow"] = allowed
    return problem


def _from_traceparent(scope: MutableMapping[str, Any]) -> str | None:
    for name, value in scope.get("headers", ()):
        if name == b"traceparent":
            match = _TRACEPARENT.fullmatch(value.strip())
            return match[1].decode() if match else None
    return None
