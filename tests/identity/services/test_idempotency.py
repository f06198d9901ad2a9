"""soma.identity.services.idempotency"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier, Event
from uuid import UUID

import pytest
from django.db import connections

from soma.base.errors import Conflict
from soma.base.ids import new_id
from soma.base.tenancy import Principal
from soma.identity.adapters.key_value_store_postgres import PostgresKeyValueStore
from soma.identity.api import Idempotency

pytestmark = pytest.mark.req("MEM-001")


@pytest.fixture
def principal(tenant: UUID) -> Principal:
    """Somebody."""
    return Principal(tenant_id=tenant, user_id=new_id(), session_id=new_id(), roles=("owner",))


@pytest.fixture
def idempotency() -> Idempotency:
    """On the database."""
    return Idempotency(PostgresKeyValueStore())


def never() -> object:
    raise AssertionError("this was done already")


def test_the_same_request_gets_the_first_answer(idempotency: Idempotency, principal: Principal) -> None:
    assert idempotency.once(principal, "o", "key", {"a": 1, "b": 2}, lambda: {"n": 1}) == {"n": 1}
    assert idempotency.once(principal, "o", "key", {"b": 2, "a": 1}, never) == {"n": 1}


def test_a_key_names_one_request(idempotency: Idempotency, principal: Principal) -> None:
    idempotency.once(principal, "o", "key", 1, lambda: 1)
    with pytest.raises(Conflict, match="another request"):
        idempotency.once(principal, "o", "key", 2, never)
    assert idempotency.once(principal, "o", "Key", 2, lambda: 2) == 2
    assert idempotency.once(principal, "other", "key", 2, lambda: 3) == 3


def test_keys_are_each_users_own(idempotency: Idempotency, principal: Principal) -> None:
    idempotency.once(principal, "o", "key", 1, lambda: 1)
    for other in (replace(principal, user_id=new_id()), replace(principal, tenant_id=new_id())):
        assert idempotency.once(other, "o", "key", 2, lambda: 2) == 2


def test_what_failed_may_be_tried_again(idempotency: Idempotency, principal: Principal) -> None:
    with pytest.raises(ZeroDivisionError):
        idempotency.once(principal, "o", "key", 1, lambda: 1 / 0)
    assert idempotency.once(principal, "o", "key", 1, lambda: 1) == 1


def test_at_once_it_is_done_once(idempotency: Idempotency, principal: Principal) -> None:
    together, others_asked = Barrier(4), Event()
    done, refused = list[int](), list[Conflict]()

    def act() -> int:
        assert others_asked.wait(30)
        done.append(1)
        return 1

    def ask(_: int) -> None:
        together.wait(30)
        try:
            assert idempotency.once(principal, "o", "key", 1, act) == 1
        except Conflict as conflict:
            refused.append(conflict)
            if len(refused) == 3:
                others_asked.set()
        connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ask, range(4)))
    assert done == [1]
    assert all("at work" in each.detail for each in refused)
