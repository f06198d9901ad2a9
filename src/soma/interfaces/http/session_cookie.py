"""The session token as the console's cookie, and what using it asks for."""

from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse

from soma.base.errors import Denied

COOKIE = "soma_session"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def set_session_cookie(request: HttpRequest, response: HttpResponse, jwt: str, *, expires_in: int) -> None:
    """Give `jwt` to the browser for `expires_in` seconds: out of scripts' reach, sent to this site only."""
    response.set_cookie(
        COOKIE,
        jwt,
        max_age=expires_in,
        httponly=True,
        samesite="Strict",
        secure=request.is_secure(),
        path="/",
    )


def clear_session_cookie(response: HttpResponse) -> None:
    """Take the cookie away."""
    response.delete_cookie(COOKIE, path="/", samesite="Strict")


def require_same_origin(request: HttpRequest) -> None:
    """A browser sends cookies by itself, so an unsafe request that lives on one must come from our own
    page. Raises Denied.

    `Origin` decides where it is sent, which is with every unsafe request of a current browser; where it
    is not, `Sec-Fetch-Site` must say so.
    """
    if request.method in SAFE_METHODS:
        return
    origin = request.headers.get("Origin")
    if origin is None:
        same = request.headers.get("Sec-Fetch-Site") == "same-origin"
    else:
        same = _host_of(origin) == (request.scheme, request.get_host())
    if not same:
        raise Denied("a request with the session cookie must come from this site's own page")


def _host_of(origin: str) -> tuple[str, str]:
    parts = urlsplit(origin)
    return parts.scheme, parts.netloc
