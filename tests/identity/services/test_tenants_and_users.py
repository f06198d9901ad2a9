"""Tenants, their users and keys."""

from collections.abc import Callable
from uuid import uuid4

import pytest

from soma.base.database import tenant_transaction
from soma.base.errors import Conflict, Denied, InvalidInput, NotFound, Unauthenticated
from soma.base.tenancy import Principal
from soma.identity.api import Identity, NewUser, Role
from soma.identity.models import ApiKey, Tenant

pytestmark = pytest.mark.req("AUTH-003")


@pytest.mark.parametrize("role", list(Role))
def test_an_owner_makes_users_of_every_role(identity: Identity, principal: Principal, role: Role) -> None:
    user = identity.create_user(principal, name="Robin", role=role)
    assert user.tenant_id == principal.tenant_id
    robin = identity.authenticate_key(user.token)
    assert (robin.tenant_id, robin.user_id, robin.roles) == (user.tenant_id, user.user_id, (role,))


@pytest.mark.parametrize("role", ["operator", "observer", "guest"])
def test_nobody_else_makes_users(identity: Identity, principal: Principal, role: str) -> None:
    maker = identity.authenticate_key(identity.create_user(principal, name="Robin", role=role).token)
    with pytest.raises(Denied):
        identity.create_user(maker, name="Mallory", role="owner")


@pytest.mark.parametrize("role", ["", "admin", "Owner", "owner "])
def test_a_role_that_does_not_exist_is_refused(identity: Identity, principal: Principal, role: str) -> None:
    with pytest.raises(InvalidInput, match="owner, operator, observer, guest"):
        identity.create_user(principal, name="Robin", role=role)


def test_a_name_is_taken_once_in_a_tenant(
    identity: Identity, principal: Principal, new_tenant: Callable[[], NewUser]
) -> None:
    identity.create_user(principal, name="Robin", role="guest")
    with pytest.raises(Conflict):
        identity.create_user(principal, name="Robin", role="guest")
    elsewhere = identity.authenticate_key(new_tenant().token)
    assert identity.create_user(elsewhere, name="Robin", role="guest").tenant_id == elsewhere.tenant_id


def test_a_slug_is_taken_once(identity: Identity) -> None:
    slug = f"t-{uuid4().hex}"
    identity.create_tenant(slug, "Acme")
    with pytest.raises(Conflict):
        identity.create_tenant(slug, "Acme again")


def test_slugs_that_begin_alike_are_different_tenants(identity: Identity) -> None:
    slug = f"acme-{uuid4().hex[:8]}"
    short, long = identity.create_tenant(slug, "Acme"), identity.create_tenant(f"{slug}-corp", "Acme Corp")
    assert identity.local_owner(slug).tenant_id == short.tenant_id
    assert identity.local_owner(f"{slug}-corp").tenant_id == long.tenant_id


def test_nothing_is_kept_of_a_tenant_that_could_not_be_made(identity: Identity) -> None:
    slug = f"t-{uuid4().hex}"
    with pytest.raises(InvalidInput):
        identity.create_tenant(slug, "Acme", owner_name="")
    assert identity.create_tenant(slug, "Acme").token


def test_a_further_key_opens_the_same_user(identity: Identity, owner: NewUser, principal: Principal) -> None:
    further = identity.authenticate_key(identity.new_key(principal))
    assert further.user_id == owner.user_id
    assert further.session_id != principal.session_id


def test_a_revoked_key_is_refused_and_takes_the_sessions_with_it(
    identity: Identity, owner: NewUser, principal: Principal
) -> None:
    other_key = identity.new_key(principal)
    session = identity.mint(owner.token)
    identity.revoke_key(principal, owner.token[38:46])
    with pytest.raises(Unauthenticated):
        identity.authenticate_key(owner.token)
    with pytest.raises(Unauthenticated):
        identity.verify(session.jwt)
    assert identity.authenticate_key(other_key).user_id == owner.user_id


def test_another_users_key_is_not_found(identity: Identity, principal: Principal) -> None:
    robin = identity.create_user(principal, name="Robin", role="guest")
    with pytest.raises(NotFound):
        identity.revoke_key(principal, robin.token[38:46])
    identity.authenticate_key(robin.token)


@pytest.mark.parametrize(
    "token", ["", "soma_", "Bearer x", "soma_" + "0" * 32 + "_" + "A" * 43, "\0", "é" * 80]
)
def test_a_key_that_does_not_exist_is_refused(identity: Identity, token: str) -> None:
    with pytest.raises(Unauthenticated):
        identity.authenticate_key(token)


def test_a_key_with_the_right_prefix_and_a_wrong_rest_is_refused(identity: Identity, owner: NewUser) -> None:
    forged = owner.token[:46] + owner.token[46:].swapcase()
    assert forged != owner.token
    with pytest.raises(Unauthenticated):
        identity.authenticate_key(forged)


def test_a_key_under_another_tenants_name_is_refused(
    identity: Identity, owner: NewUser, new_tenant: Callable[[], NewUser]
) -> None:
    moved = f"soma_{new_tenant().tenant_id.hex}_{owner.token[38:]}"
    with pytest.raises(Unauthenticated):
        identity.authenticate_key(moved)


def test_every_fault_of_a_key_gets_the_same_answer(identity: Identity, owner: NewUser) -> None:
    answers = set()
    for token in ("", owner.token[:-1] + "!", owner.token[:46] + "A" * 35, f"soma_{uuid4().hex}_" + "A" * 43):
        with pytest.raises(Unauthenticated) as failure:
            identity.authenticate_key(token)
        answers.add((failure.value.detail, str(failure.value.extra)))
    assert len(answers) == 1


def test_rows_hold_what_was_asked_for(identity: Identity) -> None:
    slug = f"t-{uuid4().hex}"
    owner = identity.create_tenant(slug, " Acme ", owner_name="Ada")
    with tenant_transaction(owner.tenant_id):
        tenant = Tenant.objects.get()
        assert (tenant.id, tenant.slug, tenant.name) == (owner.tenant_id, slug, "Acme")
        assert ApiKey.objects.get().user.name == "Ada"
