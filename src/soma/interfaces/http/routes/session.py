"""Sessions: an API key becomes a token of 900 seconds."""

from django.http import HttpRequest, HttpResponse
from ninja import Router

from soma.interfaces.http.access import ApiKey, SessionToken, principal_of
from soma.interfaces.http.documents.session import SessionGrant, SessionRequest
from soma.interfaces.http.session_cookie import clear_session_cookie, set_session_cookie
from soma.interfaces.runtime import current

router = Router(tags=["session"])


@router.post("/v1/session/mint", auth=ApiKey("session:mint"), response=SessionGrant)
async def mint_session(request: HttpRequest, wanted: SessionRequest, response: HttpResponse) -> SessionGrant:
    """Begin a session with an API key; its token comes in the body and as a cookie."""
    runtime = current()
    minted = await runtime.database.run(
        runtime.identity.mint,
        principal_of(request),
        tenant=wanted.tenant,
        persona_hash=wanted.persona_hash,
        policy_hash=wanted.policy_hash,
        budgets=wanted.budgets,
    )
    return _granted(request, response, SessionGrant.model_validate(minted))


@router.post("/v1/session/refresh", auth=SessionToken("session:refresh"), response=SessionGrant)
async def refresh_session(request: HttpRequest, response: HttpResponse) -> SessionGrant:
    """Continue the session with a new token."""
    runtime = current()
    minted = await runtime.database.run(runtime.identity.refresh, principal_of(request))
    return _granted(request, response, SessionGrant.model_validate(minted))


@router.post("/v1/session/revoke", auth=SessionToken("session:revoke"), response={204: None})
async def revoke_session(request: HttpRequest, response: HttpResponse) -> None:
    """End the session: its tokens are refused from now on."""
    runtime = current()
    await runtime.database.run(runtime.identity.revoke, principal_of(request))
    clear_session_cookie(response)


def _granted(request: HttpRequest, response: HttpResponse, grant: SessionGrant) -> SessionGrant:
    response["Cache-Control"] = "no-store"
    set_session_cookie(request, response, grant.jwt, expires_in=grant.expires_in)
    return grant
