"""The owner that every installation has."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import connections

from soma.base.database import tenant_transaction
from soma.identity.api import BootstrapOwner, Identity
from soma.identity.models import ApiKey, Tenant, User

pytestmark = pytest.mark.req("AUTH-003")


@pytest.fixture
def slug() -> str:
    return f"b-{uuid4().hex}"


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as executor:
        yield executor


def test_first_call_makes_the_owner_and_shows_the_key_once(identity: Identity, slug: str) -> None:
    first = identity.bootstrap_owner(slug)
    again = identity.bootstrap_owner(slug)
    assert first.token is not None
    assert again == BootstrapOwner(tenant_id=first.tenant_id, user_id=first.user_id, token=None)
    principal = identity.authenticate_key(first.token)
    assert (principal.tenant_id, principal.user_id) == (first.tenant_id, first.user_id)
    assert principal.roles == ("owner",)


def test_concurrent_first_calls_make_one_owner_with_one_key(
    identity: Identity, slug: str, threads: ThreadPoolExecutor
) -> None:
    together = Barrier(8)

    def start() -> BootstrapOwner:
        together.wait()
        try:
            return identity.bootstrap_owner(slug)
        finally:
            connections.close_all()

    owners = [future.result() for future in [threads.submit(start) for _ in range(8)]]
    assert len({(owner.tenant_id, owner.user_id) for owner in owners}) == 1
    assert sum(owner.token is not None for owner in owners) == 1
    with tenant_transaction(owners[0].tenant_id):
        assert (Tenant.objects.count(), User.objects.count(), ApiKey.objects.count()) == (1, 1, 1)


def test_a_local_session_before_the_first_start_does_not_use_up_the_key(
    identity: Identity, slug: str
) -> None:
    local = identity.local_owner(slug)
    owner = identity.bootstrap_owner(slug)
    assert owner.token is not None
    assert (local.tenant_id, local.user_id) == (owner.tenant_id, owner.user_id)


def test_the_key_is_stored_nowhere_in_clear(identity: Identity, slug: str) -> None:
    owner = identity.bootstrap_owner(slug)
    assert owner.token is not None
    secret = owner.token.split("_", 2)[2]
    with tenant_transaction(owner.tenant_id), connections["default"].cursor() as cursor:
        cursor.execute("SELECT api_key::text FROM api_key")
        (row,) = cursor.fetchone()
    assert secret not in row
    assert secret[8:] not in row
    assert owner.token not in repr(owner)
