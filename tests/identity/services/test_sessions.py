"""Sessions: minted for a key, verified, refreshed, revoked."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID, uuid4

import jwt as pyjwt
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from soma.base.database import tenant_transaction
from soma.base.errors import Denied, InvalidInput, NotFound, SomaError, Unauthenticated
from soma.base.tenancy import Principal
from soma.events.models import OutboxMessage
from soma.identity.api import Identity, NewUser
from soma.identity.domain.session_token import SessionClaims, SessionTokens
from soma.identity.models import Session, User
from tests.identity.conftest import SECRET, Clock

pytestmark = pytest.mark.req("AUTH-003")

HOUR = 3600


def session_events(tenant_id: UUID) -> list[tuple[str, str]]:
    """Type and key of the session events that wait in the outbox."""
    with tenant_transaction(tenant_id):
        rows = OutboxMessage.objects.filter(type__startswith="identity.").order_by("id")
        return list(rows.values_list("type", "key"))


def test_a_key_mints_a_session_of_900_seconds(identity: Identity, owner: NewUser) -> None:
    minted = identity.mint(owner.token, tenant=owner.tenant_id)
    principal = identity.verify(minted.jwt)
    assert minted.expires_in == 900
    assert principal == Principal(
        tenant_id=owner.tenant_id, user_id=owner.user_id, session_id=minted.session_id, roles=("owner",)
    )
    assert session_events(owner.tenant_id) == [("identity.session_minted", str(minted.session_id))]


def test_the_terms_are_kept(identity: Identity, principal: Principal) -> None:
    minted = identity.mint(
        principal, persona_hash="a" * 64, policy_hash="sha256-b", budgets={"tokens": 100_000, "cost": 0.5}
    )
    with tenant_transaction(principal.tenant_id):
        session = Session.objects.get(id=minted.session_id)
    assert (session.persona_hash, session.policy_hash) == ("a" * 64, "sha256-b")
    assert session.budgets == {"tokens": 100_000, "cost": 0.5}


def test_terms_that_mean_nothing_store_nothing(identity: Identity, principal: Principal) -> None:
    with pytest.raises(InvalidInput):
        identity.mint(principal, budgets={"tokens": -1})
    assert session_events(principal.tenant_id) == []


@pytest.mark.parametrize("how", [str, str.upper, UUID], ids=["text", "upper case", "UUID"])
def test_the_named_tenant_may_be_the_keys(
    identity: Identity, owner: NewUser, how: Callable[[str], UUID | str]
) -> None:
    assert identity.mint(owner.token, tenant=how(str(owner.tenant_id))).expires_in == 900


def test_another_tenant_than_the_keys_is_denied(
    identity: Identity, owner: NewUser, new_tenant: Callable[[], NewUser]
) -> None:
    for tenant in (new_tenant().tenant_id, uuid4(), "default", "", "../x"):
        with pytest.raises(Denied):
            identity.mint(owner.token, tenant=tenant)
    assert session_events(owner.tenant_id) == []


def test_a_session_cannot_mint_a_session(identity: Identity, owner: NewUser) -> None:
    inside = identity.verify(identity.mint(owner.token).jwt)
    with pytest.raises(Denied):
        identity.mint(inside)
    with pytest.raises(Unauthenticated):
        identity.mint(identity.mint(owner.token).jwt)


def test_a_key_revoked_meanwhile_cannot_mint(
    identity: Identity, owner: NewUser, principal: Principal
) -> None:
    identity.revoke_key(principal, owner.token[38:46])
    with pytest.raises(Denied):
        identity.mint(principal)


def test_a_token_expires(identity: Identity, owner: NewUser, clock: Clock) -> None:
    minted = identity.mint(owner.token)
    clock.pass_time(890)
    identity.verify(minted.jwt)
    clock.pass_time(10)
    with pytest.raises(Unauthenticated):
        identity.verify(minted.jwt)


def test_verify_reads_one_row_by_its_key(identity: Identity, owner: NewUser) -> None:
    minted = identity.mint(owner.token)
    with CaptureQueriesContext(connection) as queries:
        identity.verify(minted.jwt)
    selects = [query["sql"] for query in queries if 'FROM "session"' in query["sql"]]
    assert len(selects) == 1
    with tenant_transaction(owner.tenant_id), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN SELECT 1 FROM session WHERE id = %s", [minted.session_id])
        assert "session_pkey" in "".join(row[0] for row in cursor.fetchall())


def test_a_revoked_session_is_refused_at_once(identity: Identity, owner: NewUser) -> None:
    minted, other = identity.mint(owner.token), identity.mint(owner.token)
    identity.revoke(identity.verify(minted.jwt))
    with pytest.raises(Unauthenticated):
        identity.verify(minted.jwt)
    identity.verify(other.jwt)
    assert session_events(owner.tenant_id)[-1] == ("identity.session_revoked", str(minted.session_id))


def test_revoking_twice_is_one_event(identity: Identity, owner: NewUser) -> None:
    inside = identity.verify(identity.mint(owner.token).jwt)
    identity.revoke(inside)
    identity.revoke(inside)
    assert [kind for kind, _ in session_events(owner.tenant_id)].count("identity.session_revoked") == 1


def test_a_guest_ends_only_their_own_session(
    identity: Identity, owner: NewUser, principal: Principal
) -> None:
    guest = identity.create_user(principal, name="Gus", role="guest")
    owners, guests = identity.mint(owner.token), identity.mint(guest.token)
    inside = identity.verify(guests.jwt)
    with pytest.raises(Denied):
        identity.revoke(inside, owners.session_id)
    identity.verify(owners.jwt)
    identity.revoke(identity.verify(owners.jwt), guests.session_id)
    with pytest.raises(Unauthenticated):
        identity.verify(guests.jwt)


def test_another_tenants_session_is_not_found(
    identity: Identity, owner: NewUser, new_tenant: Callable[[], NewUser]
) -> None:
    theirs = identity.mint(new_tenant().token)
    with pytest.raises(NotFound):
        identity.revoke(identity.verify(identity.mint(owner.token).jwt), theirs.session_id)
    identity.verify(theirs.jwt)


def test_refresh_gives_the_next_token_and_prolongs_the_session(
    identity: Identity, owner: NewUser, clock: Clock
) -> None:
    first = identity.mint(owner.token)
    clock.pass_time(600)
    second = identity.refresh(identity.verify(first.jwt))
    assert (second.session_id, second.expires_in) == (first.session_id, 900)
    clock.pass_time(600)
    assert identity.verify(second.jwt).session_id == first.session_id
    with pytest.raises(Unauthenticated):
        identity.verify(first.jwt)


def test_no_session_outlives_12_hours(identity: Identity, owner: NewUser, clock: Clock) -> None:
    minted = identity.mint(owner.token)
    began, lifetimes = clock.now, []
    while True:
        clock.pass_time(800)
        try:
            minted = identity.refresh(identity.verify(minted.jwt))
        except Unauthenticated:
            break
        lifetimes.append(minted.expires_in)
    assert set(lifetimes[:-1]) == {900}
    assert 0 < lifetimes[-1] < 900
    assert (clock.now - began).total_seconds() == pytest.approx(12 * HOUR, abs=800)


@pytest.mark.parametrize("end", ["revoked", "expired"])
def test_a_session_that_ended_is_not_refreshed(
    identity: Identity, owner: NewUser, clock: Clock, end: str
) -> None:
    inside = identity.verify(identity.mint(owner.token).jwt)
    if end == "revoked":
        identity.revoke(inside)
    else:
        clock.pass_time(900)
    with pytest.raises(Unauthenticated):
        identity.refresh(inside)


def test_a_role_that_changed_counts_from_the_next_request_on(
    identity: Identity, principal: Principal
) -> None:
    robin = identity.create_user(principal, name="Robin", role="operator")
    minted = identity.mint(robin.token)
    with tenant_transaction(robin.tenant_id, using="owner"):
        User.objects.using("owner").filter(id=robin.user_id).update(role="observer")
    assert identity.verify(minted.jwt).roles == ("observer",)


def forged(claims: SessionClaims, **changes: object) -> str:
    """A token with our signature: what somebody with the secret and too little care might make."""
    return SessionTokens(SECRET).sign(replace(claims, **changes))  # type: ignore[arg-type]


@pytest.mark.req("AUTH-004")
def test_a_token_whose_parts_do_not_belong_together_is_refused(
    identity: Identity, owner: NewUser, new_tenant: Callable[[], NewUser], clock: Clock
) -> None:
    other = new_tenant()
    ours, theirs = identity.mint(owner.token), identity.mint(other.token)
    claims = SessionTokens(SECRET).read(ours.jwt, clock.now)
    identity.verify(forged(claims))
    for changes in (
        {"session_id": theirs.session_id},
        {"tenant_id": other.tenant_id},
        {"tenant_id": other.tenant_id, "user_id": other.user_id},
        {"session_id": theirs.session_id, "user_id": other.user_id},
        {"user_id": other.user_id},
        {"session_id": uuid4()},
        {"tenant_id": uuid4()},
    ):
        with pytest.raises(Unauthenticated):
            identity.verify(forged(claims, **changes))


def test_the_roles_of_a_token_are_not_believed(
    identity: Identity, principal: Principal, clock: Clock
) -> None:
    guest = identity.create_user(principal, name="Gus", role="guest")
    claims = SessionTokens(SECRET).read(identity.mint(guest.token).jwt, clock.now)
    assert identity.verify(forged(claims, roles=("owner",))).roles == ("guest",)


def test_every_fault_gets_the_same_answer(identity: Identity, owner: NewUser, clock: Clock) -> None:
    revoked, expired = identity.mint(owner.token), identity.mint(owner.token)
    identity.revoke(identity.verify(revoked.jwt))
    claims = SessionTokens(SECRET).read(expired.jwt, clock.now)
    faults = [
        "",
        revoked.jwt,
        pyjwt.encode({"sub": "x"}, SECRET, algorithm="HS256"),
        pyjwt.encode({"sub": "x"}, "", algorithm="none"),
        forged(claims, session_id=uuid4()),
        forged(claims, tenant_id=uuid4()),
        SessionTokens(SECRET[::-1]).sign(claims),
    ]
    answers = {_answer(identity, token) for token in faults}
    clock.pass_time(900)
    answers.add(_answer(identity, expired.jwt))
    assert len(answers) == 1


def _answer(identity: Identity, token: str) -> tuple[type[SomaError], str, str]:
    with pytest.raises(Unauthenticated) as failure:
        identity.verify(token)
    return type(failure.value), failure.value.detail, str(failure.value.extra)


def test_a_local_owner_has_a_live_session(identity: Identity, owner: NewUser) -> None:
    with tenant_transaction(owner.tenant_id):
        slug = User.objects.select_related("tenant").get().tenant.slug
    local = identity.local_owner(slug)
    assert (local.tenant_id, local.user_id, local.roles) == (owner.tenant_id, owner.user_id, ("owner",))
    assert identity.refresh(local).expires_in == 900
    identity.revoke(local)
    with pytest.raises(Unauthenticated):
        identity.refresh(local)
