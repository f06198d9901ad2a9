"""Sessions known from a store that is faster than the database, and may be wrong in any way a cache can.

The store may keep what it should have forgotten: a write that arrives late, a crash that brings back an
older state, a revocation that does not reach it. So it is not told of revocations at all. Whoever ends a
session begins a new epoch of its tenant in the same transaction, and an entry counts only in the epoch in
which it was written. Which epoch it is, a process learns with each session that it reads from the database,
and believes for LEASE_SECONDS from before it asked; whoever ends a session waits as long before saying so.
Then nobody believes the old epoch any more, whatever the store holds. It takes no clock but each process's
own.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db.models import OuterRef, Subquery

from soma.base.canonical import json_bytes, json_value
from soma.base.database import tenant_transaction
from soma.base.tenancy import Principal
from soma.identity.domain.session_token import LIFETIME, SessionClaims, refusal
from soma.identity.errors import StoreUnavailable
from soma.identity.models import SessionEpoch
from soma.identity.ports import KeyValueStore
from soma.identity.services.outage import Outage
from soma.identity.services.verify_session import alive, speaker

LEASE_SECONDS = 0.2
LEASES = 10_000
"""Tenants whose epoch is remembered; past this all are asked again."""
SHORTEST = timedelta(milliseconds=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveSession:
    """A session as the database has it. `epoch` is that of its tenant, "" before the first."""

    user_id: UUID
    role: str
    expires_at: datetime
    epoch: str


class SessionCache:
    """Who a token speaks for, from `store` where that is certain, from the database otherwise."""

    def __init__(self, store: KeyValueStore, *, lease_seconds: float = LEASE_SECONDS) -> None:
        self._store = store
        self._lease_seconds = lease_seconds
        self._leases: dict[UUID, tuple[str, float]] = {}
        self._outage = Outage()

    def verified(self, claims: SessionClaims, now: datetime) -> Principal:
        """See verify_session. Raises Unauthenticated."""
        epoch = self._believed_epoch(claims.tenant_id)
        if epoch is not None and self._outage.may_ask():
            known = self._known(claims)
            if known is not None and _holds(known, claims, epoch, now):
                return speaker(claims, known.role)
        asked = time.monotonic()
        live = _read(claims, now)
        self._believe(claims.tenant_id, live.epoch, asked + self._lease_seconds)
        if self._outage.may_ask():
            self._keep(claims, live, now)
        return speaker(claims, live.role)

    def settle(self) -> None:
        """Wait until no process takes a session for alive that was ended before this was called."""
        time.sleep(self._lease_seconds)

    def _believed_epoch(self, tenant_id: UUID) -> str | None:
        epoch, until = self._leases.get(tenant_id, ("", 0.0))
        return epoch if time.monotonic() < until else None

    def _believe(self, tenant_id: UUID, epoch: str, until: float) -> None:
        if len(self._leases) >= LEASES:
            self._leases.clear()
        self._leases[tenant_id] = (epoch, until)

    def _known(self, claims: SessionClaims) -> LiveSession | None:
        try:
            entry = self._store.get(claims.tenant_id, _key(claims))
        except StoreUnavailable as error:
            self._outage.failed(error.detail)
            return None
        self._outage.worked()
        return None if entry is None else _parsed(entry)

    def _keep(self, claims: SessionClaims, live: LiveSession, now: datetime) -> None:
        ttl = min(LIFETIME, live.expires_at - now)
        if ttl < SHORTEST:
            return
        try:
            self._store.set(claims.tenant_id, _key(claims), _spelt(live), ttl=ttl)
        except StoreUnavailable as error:
            self._outage.failed(error.detail)
        else:
            self._outage.worked()


def _read(claims: SessionClaims, now: datetime) -> LiveSession:
    """The session and its epoch, in one statement and so of one moment. Raises Unauthenticated."""
    epoch = SessionEpoch.objects.filter(tenant_id=OuterRef("tenant_id")).values("epoch")
    with tenant_transaction(claims.tenant_id):
        row = (
            alive(claims, now)
            .annotate(epoch=Subquery(epoch))
            .values_list("user__role", "expires_at", "epoch")
            .first()
        )
    if row is None:
        raise refusal()
    role, expires_at, found = row
    return LiveSession(
        user_id=claims.user_id, role=role, expires_at=expires_at, epoch=found.hex if found else ""
    )


def _holds(known: LiveSession, claims: SessionClaims, epoch: str, now: datetime) -> bool:
    return known.epoch == epoch and known.user_id == claims.user_id and known.expires_at > now


def _key(claims: SessionClaims) -> str:
    return f"session:{claims.session_id.hex}"


def _spelt(live: LiveSession) -> bytes:
    return json_bytes([live.user_id, live.role, live.expires_at.timestamp(), live.epoch])


def _parsed(entry: bytes) -> LiveSession | None:
    try:
        user_id, role, expires_at, epoch = json_value(entry)
        return LiveSession(
            user_id=UUID(user_id),
            role=str(role),
            expires_at=datetime.fromtimestamp(expires_at, UTC),
            epoch=str(epoch),
        )
    except (ValueError, TypeError, AttributeError, OverflowError):
        return None
