"""Who is asking, and whether they may: the first thing every request of the API goes through.

The session is looked up, the request is counted, the policy decides, and a denial is recorded, all in one
visit to a database thread.
"""

from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.http import HttpRequest
from ninja.security.base import AuthBase

from soma.base.errors import Unauthenticated, Unavailable
from soma.base.tenancy import Principal
from soma.interfaces.audit import record_decision
from soma.interfaces.grant import Grant, grant
from soma.interfaces.http.rates import address_of, note
from soma.interfaces.http.session_cookie import COOKIE, require_same_origin
from soma.interfaces.http.trace import trace_id
from soma.interfaces.runtime import Runtime, current

P = ParamSpec("P")
T = TypeVar("T")


class _Credential(AuthBase):
    """A bearer token with which `action` may be asked for. `turn`: it begins a turn."""

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __init__(self, action: str, *, turn: bool = False) -> None:
        super().__init__()
        self.is_async = True
        self._action = action
        self._turn = turn

    async def __call__(self, request: HttpRequest) -> Grant:
        """Authenticate, count and decide. Raises Unauthenticated, RateLimited or Denied."""
        runtime = current()
        return await runtime.database.run(self._granted, runtime, request)

    def _granted(self, runtime: Runtime, request: HttpRequest) -> Grant:
        try:
            principal = self._authenticate(runtime, request, self._token(request))
        except Unauthenticated:
            with suppress(Unavailable):
                note(request, runtime.rates.admit_refusal(address_of(request)))
            raise
        note(request, runtime.rates.admit(principal, turn=self._turn))
        names = request.resolver_match.kwargs if request.resolver_match else {}
        traced = replace(principal, trace_id=trace_id(request))
        return grant(runtime, traced, self._action, face="http", names=names)

    def _token(self, request: HttpRequest) -> str:
        raise NotImplementedError

    def _authenticate(self, runtime: Runtime, request: HttpRequest, token: str) -> Principal:
        raise NotImplementedError


class SessionToken(_Credential):
    """The JWT of a session: as Bearer, or in the console's cookie."""

    def _token(self, request: HttpRequest) -> str:
        bearer = bearer_of(request)
        if bearer is not None:
            return bearer
        cookie = request.COOKIES.get(COOKIE)
        if not cookie:
            raise Unauthenticated("send the session's token: Authorization: Bearer <jwt>")
        require_same_origin(request)
        return cookie

    def _authenticate(self, runtime: Runtime, request: HttpRequest, token: str) -> Principal:
        return runtime.identity.verify(token)


class ApiKey(_Credential):
    """An API key, as Bearer. Each attempt is counted before the key is looked up."""

    def _token(self, request: HttpRequest) -> str:
        bearer = bearer_of(request)
        if bearer is None:
            raise Unauthenticated("send an API key: Authorization: Bearer soma_…")
        return bearer

    def _authenticate(self, runtime: Runtime, request: HttpRequest, token: str) -> Principal:
        runtime.rates.admit_sign_in(address_of(request))
        return runtime.identity.authenticate_key(token)


def bearer_of(request: HttpRequest) -> str | None:
    """The token of `Authorization: Bearer`; None without that header. Raises Unauthenticated for
    another scheme or an empty token."""
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("the Authorization header must be: Bearer <token>")
    return token.strip()


def grant_of(request: HttpRequest) -> Grant:
    """What the credential of this request's operation granted."""
    granted = getattr(request, "auth", None)
    if not isinstance(granted, Grant):
        raise Unauthenticated("this operation asks for no credential and so knows nobody")
    return granted


def principal_of(request: HttpRequest) -> Principal:
    """Who is asking."""
    return grant_of(request).principal


def audited(
    view: Callable[Concatenate[HttpRequest, P], Awaitable[T]],
) -> Callable[Concatenate[HttpRequest, P], Coroutine[Any, Any, T]]:
    """Record the decision that allowed a write, before the write and once its input has proved valid."""

    @wraps(view)
    async def recorded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> T:
        granted = grant_of(request)
        await current().database.run(record_decision, granted.asked, granted.decision)
        return await view(request, *args, **kwargs)

    return recorded
