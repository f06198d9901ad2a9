"""The public face of this tier. Every method is synchronous and opens its own transaction."""

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from soma.base.clock import now
from soma.base.database import tenant_transaction
from soma.base.tenancy import Principal
from soma.identity.domain.credentials import BootstrapOwner, Minted, NewUser
from soma.identity.domain.rate import RateDecision
from soma.identity.domain.rate_rules import RateRules
from soma.identity.domain.role import Role
from soma.identity.domain.session_terms import SessionTerms
from soma.identity.domain.session_token import SessionClaims, SessionTokens
from soma.identity.ports import TenantRoles
from soma.identity.services.authenticate_key import authenticate_key
from soma.identity.services.bootstrap_owner import bootstrap_owner
from soma.identity.services.create_tenant import create_tenant
from soma.identity.services.create_user import create_user
from soma.identity.services.idempotency import Idempotency
from soma.identity.services.issue_key import issue_key
from soma.identity.services.local_session import local_session
from soma.identity.services.mint_session import mint_session
from soma.identity.services.rate_limits import RateLimits
from soma.identity.services.refresh_session import refresh_session
from soma.identity.services.revoke_key import revoke_key
from soma.identity.services.revoke_session import revoke_session
from soma.identity.services.session_cache import SessionCache
from soma.identity.services.verify_session import verify_session

__all__ = [
    "DEFAULT_TENANT",
    "BootstrapOwner",
    "Idempotency",
    "Identity",
    "Minted",
    "NewUser",
    "RateDecision",
    "RateLimits",
    "RateRules",
    "Role",
    "SessionCache",
]

DEFAULT_TENANT = "default"
"""The slug of the tenant that every installation has."""


class Identity:
    """Tenants, users, keys and sessions. `secret` signs the session tokens: at least 32 bytes. `roles` are
    written together with the users.

    With `cache`, sessions are not read from the database each time. All processes on one database must have
    one, or none of them: ending a session waits for those who do.
    """

    def __init__(
        self,
        secret: bytes,
        clock: Callable[[], datetime] = now,
        *,
        roles: TenantRoles,
        cache: SessionCache | None = None,
    ) -> None:
        self._tokens = SessionTokens(secret)
        self._clock = clock
        self._roles = roles
        self._cache = cache

    def bootstrap_owner(self, slug: str = DEFAULT_TENANT) -> BootstrapOwner:
        """The installation's owner, made where missing; with the first key if nobody has had it yet."""
        return bootstrap_owner(slug, self._roles)

    def local_owner(self, slug: str = DEFAULT_TENANT) -> Principal:
        """The same owner in a new session, for a caller who runs this process and needs no credential."""
        return local_session(slug, self._clock(), self._roles)

    def create_tenant(self, slug: str, name: str, *, owner_name: str = "owner") -> NewUser:
        """A tenant, its owner and the owner's key. Raises InvalidInput, Conflict."""
        return create_tenant(slug=slug, name=name, owner_name=owner_name, roles=self._roles)

    def create_user(self, principal: Principal, *, name: str, role: str) -> NewUser:
        """A user of the caller's tenant, with a key. Raises Denied, InvalidInput, Conflict."""
        return create_user(principal, name=name, role=role, roles=self._roles)

    def new_key(self, principal: Principal) -> str:
        """The text of a further key for the caller's user, kept nowhere else."""
        with tenant_transaction(principal.tenant_id):
            return issue_key(principal.tenant_id, principal.user_id)

    def revoke_key(self, principal: Principal, prefix: str) -> None:
        """End a key of the caller's user, named by the first 8 characters of its secret, and the user's
        sessions with it. Raises NotFound."""
        revoke_key(principal, prefix, self._clock())
        self._settle()

    def authenticate_key(self, token: str) -> Principal:
        """Whose key `token` is; session_id is the key's id. Raises Unauthenticated."""
        return authenticate_key(token)

    def mint(
        self,
        credential: Principal | str,
        *,
        tenant: UUID | str | None = None,
        persona_hash: str | None = None,
        policy_hash: str | None = None,
        budgets: Mapping[str, float] | None = None,
    ) -> Minted:
        """A session for an API key, given as its text or as the principal that `authenticate_key` gave.

        Raises Unauthenticated, Denied (another tenant, or no key), InvalidInput.
        """
        principal = authenticate_key(credential) if isinstance(credential, str) else credential
        terms = SessionTerms(
            persona_hash=persona_hash or "", policy_hash=policy_hash or "", budgets=budgets or {}
        )
        return self._minted(mint_session(principal, tenant=tenant, terms=terms, now=self._clock()))

    def verify(self, jwt: str) -> Principal:
        """Whom a session's token speaks for: signature, issuer, times, tenant, and the session is alive.
        One query. Raises Unauthenticated, the same for every fault."""
        moment = self._clock()
        claims = self._tokens.read(jwt, moment)
        return self._cache.verified(claims, moment) if self._cache else verify_session(claims, moment)

    def refresh(self, principal: Principal) -> Minted:
        """The next token of a session, which lives on for 900 s, and 12 h in all. Raises Unauthenticated."""
        return self._minted(refresh_session(principal, self._clock()))

    def revoke(self, principal: Principal, session_id: UUID | None = None) -> None:
        """End the caller's session or, where given, another: no process takes it for alive once this has
        returned. Raises NotFound, Denied."""
        revoke_session(principal, session_id or principal.session_id, self._clock())
        self._settle()

    def _settle(self) -> None:
        if self._cache is not None:
            self._cache.settle()

    def _minted(self, claims: SessionClaims) -> Minted:
        return Minted(
            jwt=self._tokens.sign(claims),
            expires_in=int((claims.expires_at - claims.issued_at).total_seconds()),
            session_id=claims.session_id,
        )
