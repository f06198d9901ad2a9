"""Signing in with a token, and out."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_POST

from soma.base.errors import Denied, InvalidInput, RateLimited, SomaError, Unauthenticated
from soma.interfaces.console import assets
from soma.interfaces.console.edge import edge, refusal, signed_in
from soma.interfaces.http.access import ApiKey, principal_of
from soma.interfaces.http.problem import kind_of
from soma.interfaces.http.session_cookie import clear_session_cookie, require_same_origin, set_session_cookie
from soma.interfaces.runtime import current

TOKEN_LIMIT = 512
"""Characters in an access token."""


class _FormKey(ApiKey):
    """An API key in the sign-in form."""

    def _token(self, request: HttpRequest) -> str:
        token = request.POST.get("token", "").strip()
        if not token or len(token) > TOKEN_LIMIT:
            raise Unauthenticated("enter the access token: soma_…")
        return token


_credential = _FormKey("session:mint")


@require_POST
@edge
async def login(request: HttpRequest) -> HttpResponse:
    """Exchange the form's token for the session cookie.

    204 or a problem for a script that accepts JSON; a redirect or the form again for a browser.
    """
    try:
        require_same_origin(request)
        response = await _signed_in(request)
    except (Denied, InvalidInput, RateLimited, Unauthenticated) as error:
        return _refused(request, error)
    return response


async def _signed_in(request: HttpRequest) -> HttpResponse:
    runtime = current()
    grant = await _credential(request)
    minted = await runtime.database.run(
        runtime.identity.mint, grant.principal, tenant=None, persona_hash=None, policy_hash=None, budgets={}
    )
    response = HttpResponse(status=204) if _is_script(request) else _home()
    set_session_cookie(request, response, minted.jwt, expires_in=minted.expires_in)
    return response


def _refused(request: HttpRequest, error: SomaError) -> HttpResponse:
    if _is_script(request):
        return refusal(request, error)
    context = {"assets": assets.root(), "failure": error.detail}
    return render(request, "console/signin.html", context, status=kind_of(error).status)


@require_POST
@edge
async def logout(request: HttpRequest) -> HttpResponse:
    """End the session and forget the cookie. A session that has ended by itself is as good."""
    try:
        response = await _revoked(request)
    except Unauthenticated:
        response = _home()
    clear_session_cookie(response)
    return response


@signed_in("session:revoke")
async def _revoked(request: HttpRequest) -> HttpResponse:
    runtime = current()
    await runtime.database.run(runtime.identity.revoke, principal_of(request))
    return _home()


def _home() -> HttpResponse:
    response = HttpResponseRedirect("/")
    response.status_code = 303
    return response


def _is_script(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")
