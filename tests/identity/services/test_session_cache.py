"""Cached sessions: what was revoked is never accepted again, whatever becomes of the store."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Event, Thread
from uuid import UUID, uuid4

import pytest
import redis as redis_client
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from soma.base.errors import Unauthenticated
from soma.base.tenancy import Principal
from soma.identity.adapters.key_value_store_redis import RedisKeyValueStore
from soma.identity.api import Identity, NewUser, SessionCache
from soma.identity.services.session_cache import LEASE_SECONDS
from soma.project.stack.server import Server
from tests.identity.conftest import SECRET, Clock
from tests.identity.contract_key_value_store import eight
from tests.identity.relations import ROLES
from tests.standing_still import standing_still

pytestmark = pytest.mark.req("AUTH-003")

LONG_LEASE = 30.0
"""Seconds, in tests that read from the cache at leisure and revoke nothing."""


@pytest.fixture
def store(shared_server: Callable[[str], Server]) -> Iterator[RedisKeyValueStore]:
    store = RedisKeyValueStore(shared_server("redis").address)
    yield store
    store.close()


@pytest.fixture
def server(own_server: Callable[[str], Server]) -> Server:
    """A server that the test may stop and kill."""
    return own_server("redis")


@pytest.fixture
def own_store(server: Server) -> Iterator[RedisKeyValueStore]:
    store = RedisKeyValueStore(server.address)
    yield store
    store.close()


@pytest.fixture
def cached(store: RedisKeyValueStore, clock: Clock) -> Identity:
    """An identity that remembers."""
    return of(store, clock)


def of(store: RedisKeyValueStore, clock: Clock, lease: float = LEASE_SECONDS) -> Identity:
    return Identity(SECRET, clock=clock, roles=ROLES, cache=SessionCache(store, lease_seconds=lease))


def queries(identity: Identity, jwt: str) -> int:
    """How many statements it takes to verify."""
    with CaptureQueriesContext(connection) as captured:
        identity.verify(jwt)
    return len(captured)


def entry(store: RedisKeyValueStore, principal: Principal) -> bytes | None:
    return store.get(principal.tenant_id, f"session:{principal.session_id.hex}")


def test_a_session_is_read_once_while_the_lease_lasts(
    store: RedisKeyValueStore, clock: Clock, owner: NewUser
) -> None:
    identity = of(store, clock, LONG_LEASE)
    jwt = identity.mint(owner.token).jwt
    assert queries(identity, jwt) > 0
    assert [queries(identity, jwt) for _ in range(5)] == [0] * 5
    assert identity.verify(jwt) == of(store, clock).verify(jwt)


def test_processes_share_what_one_has_read(store: RedisKeyValueStore, clock: Clock, owner: NewUser) -> None:
    one, other = of(store, clock, LONG_LEASE), of(store, clock, LONG_LEASE)
    first, second = one.mint(owner.token).jwt, one.mint(owner.token).jwt
    one.verify(first)
    assert queries(other, second) > 0
    assert queries(other, first) == 0


def test_the_lease_ends(store: RedisKeyValueStore, clock: Clock, owner: NewUser) -> None:
    identity = of(store, clock, 0.05)
    jwt = identity.mint(owner.token).jwt
    identity.verify(jwt)
    time.sleep(0.05)
    assert queries(identity, jwt) > 0


def test_a_revoked_session_is_refused_when_the_revocation_returns(
    store: RedisKeyValueStore, clock: Clock, owner: NewUser
) -> None:
    here, there = of(store, clock), of(store, clock)
    for _ in range(5):
        jwt = here.mint(owner.token).jwt
        principal = here.verify(jwt)
        there.verify(jwt)
        here.revoke(principal)
        for identity in (here, there, of(store, clock)):
            with pytest.raises(Unauthenticated):
                identity.verify(jwt)


def test_a_revoked_key_takes_its_sessions_along(cached: Identity, owner: NewUser) -> None:
    jwt = cached.mint(owner.token).jwt
    principal = cached.verify(jwt)
    cached.revoke_key(principal, owner.token.split("_", 2)[2][:8])
    with pytest.raises(Unauthenticated):
        cached.verify(jwt)


def test_another_users_session_that_is_revoked_is_refused(cached: Identity, owner: NewUser) -> None:
    principal = cached.verify(cached.mint(owner.token).jwt)
    guest = cached.create_user(principal, name="Guest", role="guest")
    minted = cached.mint(guest.token)
    assert cached.verify(minted.jwt).roles == ("guest",)
    cached.revoke(principal, minted.session_id)
    with pytest.raises(Unauthenticated):
        cached.verify(minted.jwt)


def test_a_second_revocation_waits_as_well(cached: Identity, owner: NewUser) -> None:
    principal = cached.verify(cached.mint(owner.token).jwt)
    for _ in range(2):
        begun = time.monotonic()
        cached.revoke(principal)
        assert time.monotonic() - begun >= LEASE_SECONDS


def test_what_one_tenant_revokes_leaves_the_others_sessions_known(
    store: RedisKeyValueStore, clock: Clock, new_tenant: Callable[[], NewUser]
) -> None:
    identity = of(store, clock, LONG_LEASE)
    ours, theirs = identity.mint(new_tenant().token).jwt, new_tenant()
    identity.verify(ours)
    revoking = Identity(SECRET, clock=clock, roles=ROLES)
    revoking.revoke(revoking.verify(revoking.mint(theirs.token).jwt))
    assert queries(identity, ours) == 0


def test_no_process_accepts_what_is_revoked_while_all_verify(
    store: RedisKeyValueStore, clock: Clock, owner: NewUser
) -> None:
    """Eight processes' worth of identities verify without pause; what is verified after the revocation has
    returned must be refused, and what a slow one had read before must not come back."""
    identities = [of(store, clock, 0.05) for _ in range(8)]
    jwts = [identities[0].mint(owner.token).jwt for _ in range(8)]
    principals = [identities[0].verify(jwt) for jwt in jwts]
    returned: dict[int, float] = {}
    over = Event()

    def verify(number: int) -> Counter[str]:
        told: Counter[str] = Counter()
        while not over.is_set():
            for session, jwt in enumerate(jwts):
                begun = time.monotonic()
                try:
                    identities[number].verify(jwt)
                except Unauthenticated:
                    told["refused"] += 1
                else:
                    assert begun <= returned.get(session, begun), "accepted after it was revoked"
                    told["accepted"] += 1
        return told

    def revoke() -> None:
        try:
            for session, principal in enumerate(principals):
                identities[session].revoke(principal)
                returned[session] = time.monotonic()
            time.sleep(0.1)
        finally:
            over.set()
            connections.close_all()

    revoker = Thread(target=revoke)
    revoker.start()
    told = sum(eight(verify), Counter[str]())
    revoker.join()
    assert len(returned) == 8
    assert told["accepted"] > 8
    assert told["refused"] > 8


def test_what_was_read_before_a_revocation_and_written_after_it_is_not_accepted(
    store: RedisKeyValueStore, clock: Clock, owner: NewUser
) -> None:
    identity = of(store, clock)
    minted = identity.mint(owner.token)
    principal = identity.verify(minted.jwt)
    before = entry(store, principal)
    assert before is not None
    identity.revoke(principal)
    store.set(principal.tenant_id, f"session:{principal.session_id.hex}", before)
    other = identity.mint(owner.token)
    identity.verify(other.jwt)
    for again in (identity, of(store, clock)):
        again.verify(other.jwt)
        with pytest.raises(Unauthenticated):
            again.verify(minted.jwt)


def test_a_server_that_comes_back_as_it_was_before_brings_no_session_back(
    server: Server, own_store: RedisKeyValueStore, clock: Clock, owner: NewUser
) -> None:
    """Its file does not know of the revocation, which fell into the outage."""
    identity = of(own_store, clock)
    minted = identity.mint(owner.token)
    principal = identity.verify(minted.jwt)
    server.kill()
    identity.revoke(principal)
    server.start()
    assert entry(own_store, principal) is not None
    other = identity.mint(owner.token).jwt
    for again in (identity, of(own_store, clock)):
        again.verify(other)
        with pytest.raises(Unauthenticated):
            again.verify(minted.jwt)


@pytest.mark.parametrize("how", ["stopped", "standing still"])
def test_without_the_store_the_database_is_asked(
    server: Server, own_store: RedisKeyValueStore, clock: Clock, owner: NewUser, how: str
) -> None:
    identity = of(own_store, clock, LONG_LEASE)
    jwt = identity.mint(owner.token).jwt
    identity.verify(jwt)
    assert queries(identity, jwt) == 0
    if how == "stopped":
        server.stop()
        verified(identity, jwt)
        server.start()
    else:
        with standing_still(server):
            verified(identity, jwt)
    until = time.monotonic() + 20
    while queries(identity, jwt) > 0:
        assert time.monotonic() < until, "the store is not used again"


def verified(identity: Identity, jwt: str) -> None:
    """A hundred times from the database; one or two of them found out that the store is away."""
    slow = 0
    for _ in range(100):
        begun = time.monotonic()
        assert queries(identity, jwt) > 0
        slow += time.monotonic() - begun > 0.09
    assert slow <= 3


def test_a_token_of_a_session_speaks_for_nobody_else(
    store: RedisKeyValueStore, clock: Clock, owner: NewUser
) -> None:
    """What the store has of another user under the session's key is not believed."""
    identity = of(store, clock, LONG_LEASE)
    jwt = identity.mint(owner.token).jwt
    principal = identity.verify(jwt)
    written = entry(store, principal)
    assert written is not None
    forged = written.replace(str(principal.user_id).encode(), str(uuid4()).encode())
    assert forged != written
    store.set(principal.tenant_id, f"session:{principal.session_id.hex}", forged)
    assert queries(identity, jwt) > 0


@pytest.mark.parametrize(
    "nonsense",
    [b"", b"x", b"[]", b"{}", b"null", b"[1,2,3,4]", b'["a","b","c","d"]', b"\xff", b"[[],[],[],[]]"],
)
def test_nonsense_in_the_store_is_no_session(
    store: RedisKeyValueStore, clock: Clock, owner: NewUser, nonsense: bytes
) -> None:
    identity = of(store, clock, LONG_LEASE)
    jwt = identity.mint(owner.token).jwt
    principal = identity.verify(jwt)
    store.set(principal.tenant_id, f"session:{principal.session_id.hex}", nonsense)
    assert queries(identity, jwt) > 0
    assert queries(identity, jwt) == 0


def test_nobody_is_remembered_past_the_sessions_time(
    store: RedisKeyValueStore, clock: Clock, owner: NewUser
) -> None:
    identity = of(store, clock, LONG_LEASE)
    jwt = identity.mint(owner.token).jwt
    principal = identity.verify(jwt)
    clock.pass_time(899)
    assert queries(identity, jwt) == 0
    renewed = identity.refresh(principal).jwt
    clock.pass_time(2)
    with pytest.raises(Unauthenticated):
        identity.verify(jwt)
    assert queries(identity, renewed) > 0
    assert queries(identity, renewed) == 0


def test_an_entry_goes_by_itself_when_its_session_would(
    server: Server, own_store: RedisKeyValueStore, clock: Clock, owner: NewUser
) -> None:
    identity = of(own_store, clock)
    jwt = identity.mint(owner.token).jwt
    clock.pass_time(600)
    principal = identity.verify(jwt)
    with redis_client.Redis.from_url(server.address) as raw:
        left = raw.pttl(f"soma:{principal.tenant_id.hex}:value:session:{principal.session_id.hex}")
    assert timedelta(seconds=295) < timedelta(milliseconds=left) <= timedelta(seconds=300)


def test_a_token_that_was_never_issued_asks_nobody(cached: Identity) -> None:
    with CaptureQueriesContext(connection) as captured, pytest.raises(Unauthenticated):
        cached.verify("a.b.c")
    assert len(captured) == 0


def test_the_epoch_changes_with_every_session_that_ends_and_with_nothing_else(
    identity: Identity, owner: NewUser
) -> None:
    from soma.base.database import tenant_transaction
    from soma.identity.models import SessionEpoch

    def epoch() -> UUID | None:
        with tenant_transaction(owner.tenant_id):
            return SessionEpoch.objects.values_list("epoch", flat=True).first()

    principal = identity.verify(identity.mint(owner.token).jwt)
    identity.refresh(principal)
    assert epoch() is None
    identity.revoke(principal)
    first = epoch()
    identity.revoke(principal)
    assert epoch() == first is not None
    again = identity.verify(identity.mint(owner.token).jwt)
    identity.revoke_key(again, owner.token.split("_", 2)[2][:8])
    assert epoch() not in {first, None}
