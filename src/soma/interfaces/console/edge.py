"""What every console response has: the headers of a locked-down page, and refusals that can be shown."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse

from soma.base.errors import SomaError
from soma.interfaces.http.access import SessionToken
from soma.interfaces.http.problem import kind_of, problem_response
from soma.interfaces.http.trace import trace_id

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], Coroutine[Any, Any, HttpResponse]]

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cache-Control": "no-store",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def edge(view: View[P]) -> View[P]:
    """Put the page's headers on what `view` answers, and make of its refusals problems."""

    @wraps(view)
    async def answered(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            response = await view(request, *args, **kwargs)
        except SomaError as error:
            response = refusal(request, error)
        for name, value in _HEADERS.items():
            response[name] = value
        return response

    return answered


def signed_in(action: str) -> Callable[[View[P]], View[P]]:
    """Let the view be reached only with a session that may do `action`, as the API does."""
    credential = SessionToken(action)

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        async def checked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            grant: Any = await credential(request)
            request.auth = grant  # type: ignore[attr-defined]
            return await view(request, *args, **kwargs)

        return checked

    return decorate


def refusal(request: HttpRequest, error: SomaError) -> HttpResponse:
    """The problem that `error` is."""
    return problem_response(
        kind_of(error), error.detail, path=request.path, trace_id=trace_id(request), extra=error.extra
    )
