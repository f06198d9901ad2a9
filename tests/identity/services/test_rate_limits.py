"""Who is counted together, and what a refusal says."""

from dataclasses import replace
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from soma.base.errors import RateLimited
from soma.base.tenancy import Principal
from soma.identity.adapters.key_value_store_postgres import PostgresKeyValueStore
from soma.identity.api import RateLimits, RateRules
from tests.identity.contract_key_value_store import eight

pytestmark = pytest.mark.req("AUTH-005")


def limits(**rules: int) -> RateLimits:
    """Limits in which only `rules` limit anything."""
    none = {"requests": 0, "tenant_requests": 0, "turns": 0, "sessions": 0}
    return RateLimits(PostgresKeyValueStore(), RateRules(**{**none, **rules}))


@pytest.fixture
def user() -> Principal:
    return Principal(tenant_id=uuid4(), user_id=uuid4(), session_id=uuid4(), roles=("owner",))


def colleague_of(user: Principal) -> Principal:
    return replace(user, user_id=uuid4())


def address() -> str:
    """One that no other test has."""
    number = uuid4().int
    return f"2001:db8:{number & 0xFFFF:x}:{(number >> 16) & 0xFFFF:x}::1"


def test_a_user_is_refused_past_the_limit_and_told_when_to_come_back(user: Principal) -> None:
    rates = limits(requests=3)
    for left in (2, 1, 0):
        assert [decision.remaining for decision in rates.admit(user)] == [left]
    for _ in range(3):
        with pytest.raises(RateLimited) as refusal:
            rates.admit(user)
        wait = refusal.value.retry_after
        assert 55 <= wait <= 60
        assert refusal.value.extra == {
            "limit": "requests of the user", "maximum": 3, "period": 60, "retry_after": wait,
        }  # fmt: skip


def test_each_user_has_a_window_of_their_own_and_the_tenant_one_for_all(user: Principal) -> None:
    rates = limits(requests=2, tenant_requests=3)
    rates.admit(user)
    rates.admit(user)
    with pytest.raises(RateLimited, match="requests of the user"):
        rates.admit(user)
    other = colleague_of(user)
    rates.admit(other)
    with pytest.raises(RateLimited, match="requests of the tenant"):
        rates.admit(other)
    rates.admit(replace(user, tenant_id=uuid4()))


def test_who_is_refused_takes_nothing_from_the_others(user: Principal) -> None:
    rates = [limits(requests=2, tenant_requests=10) for _ in range(4)]
    for each in rates[:2]:
        each.admit(user)
    for each in rates[2:]:
        with pytest.raises(RateLimited):
            each.admit(user)
    assert rates[3].admit(colleague_of(user))[1].remaining == 7


def test_turns_are_counted_besides(user: Principal) -> None:
    rates = limits(requests=10, turns=2)
    for _ in range(2):
        rates.admit(user, turn=True)
    with pytest.raises(RateLimited, match="turns of the user"):
        rates.admit(user, turn=True)
    assert rates.admit(user)[0].remaining == 7


def test_the_session_does_not_matter(user: Principal) -> None:
    rates = limits(requests=1)
    rates.admit(user)
    with pytest.raises(RateLimited):
        rates.admit(replace(user, session_id=uuid4(), roles=("guest",)))


def test_attempts_to_sign_in_are_counted_by_network(user: Principal) -> None:
    rates, network = limits(sessions=2), address()
    rates.admit_sign_in(network)
    rates.admit_sign_in(network.replace("::1", ":aaaa:bbbb:cccc:dddd"))
    with pytest.raises(RateLimited, match="attempts to sign in from the address"):
        rates.admit_sign_in(network)
    rates.admit_sign_in(address())
    rates.admit_refusal(network)


def test_an_ipv4_address_is_the_same_in_both_spellings() -> None:
    number = uuid4().bytes
    plain = f"{number[0]}.{number[1]}.{number[2]}.{number[3]}"
    rates = limits(sessions=1)
    rates.admit_sign_in(plain)
    with pytest.raises(RateLimited):
        rates.admit_sign_in(f"::ffff:{plain}")


def test_no_limit_counts_nothing(user: Principal) -> None:
    rates = limits()
    with CaptureQueriesContext(connection) as captured:
        for _ in range(5):
            assert rates.admit(user, turn=True) == ()
            assert rates.admit_sign_in("nowhere") == ()
    assert len(captured) == 0


def test_all_windows_of_a_request_are_one_statement_and_those_of_who_is_refused_none(user: Principal) -> None:
    rates = limits(requests=1, tenant_requests=9, turns=9)
    with CaptureQueriesContext(connection) as captured:
        rates.admit(user, turn=True)
    assert len(captured) == 1
    with pytest.raises(RateLimited):
        rates.admit(user)
    with CaptureQueriesContext(connection) as captured:
        for _ in range(5):
            with pytest.raises(RateLimited):
                rates.admit(user)
    assert len(captured) == 0


def test_a_limit_holds_in_all_processes_together(user: Principal) -> None:
    """Eight that share nothing but the store."""

    def ask(_: int) -> int:
        rates, admitted = limits(requests=50, tenant_requests=1000), 0
        for _ in range(20):
            try:
                rates.admit(user)
            except RateLimited:
                continue
            admitted += 1
        return admitted

    assert sum(eight(ask)) == 50
