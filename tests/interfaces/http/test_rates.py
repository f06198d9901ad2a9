"""Rate limits on the real server: past the limit 429 with the wait, and after the wait it goes on."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from ipaddress import IPv4Address
from uuid import UUID, uuid4

import httpx
import pytest
from django.db import connections

from soma.base.database import tenant_transaction
from soma.identity.adapters.key_value_store_postgres import PostgresKeyValueStore
from soma.identity.api import RateLimits, RateRules
from soma.identity.services import rate_limits
from soma.interfaces import runtime as installed
from tests.interfaces.person import CONVERSATIONS, Person, problem
from tests.interfaces.served import Served

pytestmark = pytest.mark.req("AUTH-005")

SECONDS = 2
Limit = Callable[..., None]


@pytest.fixture
def anonymous(anonymous: httpx.Client) -> httpx.Client:
    """A client at an address that no other test has, as a proxy on this machine would say."""
    anonymous.headers["X-Forwarded-For"] = str(IPv4Address(uuid4().int % 2**32))
    return anonymous


@pytest.fixture
def limit(served: Served, person: Person, monkeypatch: pytest.MonkeyPatch) -> Iterator[Limit]:
    """Sets the server's limits, for windows of two seconds so that a test can wait for one to pass. What the
    person has asked so far, to be signed in, does not count."""
    monkeypatch.setattr(rate_limits, "SPAN", timedelta(seconds=SECONDS))

    def set_limits(**rules: int) -> None:
        forget(person.tenant_id)
        none = {"requests": 0, "tenant_requests": 0, "turns": 0, "sessions": 0}
        rates = RateLimits(PostgresKeyValueStore(), RateRules(**{**none, **rules}))
        installed.install(replace(served.runtime, rates=rates))

    yield set_limits
    installed.install(served.runtime)


def test_the_limit_is_reached_named_and_passes(person: Person, limit: Limit) -> None:
    limit(requests=3)
    assert [person.client.get(CONVERSATIONS).status_code for _ in range(3)] == [200] * 3
    refused = person.client.get(CONVERSATIONS)
    document = problem(refused, 429, "rate_limited")
    assert document["limit"] == "requests of the user"
    assert document["maximum"] == 3
    assert 1 <= int(refused.headers["retry-after"]) <= SECONDS
    assert document["retry_after"] == int(refused.headers["retry-after"])
    time.sleep(int(refused.headers["retry-after"]))
    assert person.client.get(CONVERSATIONS).status_code == 200


def test_a_response_says_what_is_left(person: Person, limit: Limit) -> None:
    limit(requests=3, tenant_requests=10)
    answer = person.client.get(CONVERSATIONS)
    assert answer.headers["ratelimit-policy"] == f'"user";q=3;w={SECONDS}, "tenant";q=10;w={SECONDS}'
    assert answer.headers["ratelimit"] == '"user";r=2, "tenant";r=9'


def test_a_refused_request_does_nothing(person: Person, limit: Limit) -> None:
    limit(requests=1)
    before = person.rows()
    assert person.client.get(CONVERSATIONS).status_code == 200
    problem(person.client.post(CONVERSATIONS, json={}), 429, "rate_limited")
    assert person.rows() == before


def test_turns_have_a_limit_of_their_own(person: Person, limit: Limit) -> None:
    address = f"{CONVERSATIONS}/{person.conversation()}/messages"
    limit(turns=1)
    begun = person.client.post(address, json={"message": "hello"})
    assert begun.status_code == 202
    person.turns.append(begun.json()["turn_id"])
    document = problem(person.client.post(address, json={"message": "hello"}), 429, "rate_limited")
    assert document["limit"] == "turns of the user"
    streamed = person.client.post(address, json={"message": "x"}, headers={"Accept": "text/event-stream"})
    problem(streamed, 429, "rate_limited")
    assert [person.client.get(CONVERSATIONS).status_code for _ in range(5)] == [200] * 5


def test_nobody_is_refused_for_what_another_tenant_asks(
    person: Person, newcomer: Callable[[], Person], limit: Limit
) -> None:
    stranger = newcomer()
    limit(requests=2, tenant_requests=2)
    forget(stranger.tenant_id)
    for _ in range(4):
        person.client.get(CONVERSATIONS)
    assert person.client.get(CONVERSATIONS).status_code == 429
    assert [stranger.client.get(CONVERSATIONS).status_code for _ in range(2)] == [200] * 2


def test_attempts_to_sign_in_are_limited_right_or_wrong(
    person: Person, anonymous: httpx.Client, limit: Limit
) -> None:
    limit(sessions=3)
    for key in (person.key, "soma_nonsense", person.key):
        anonymous.post("/v1/session/mint", json={}, headers=bearer(key))
    for key in (person.key, "soma_nonsense"):
        refused = anonymous.post("/v1/session/mint", json={}, headers=bearer(key))
        document = problem(refused, 429, "rate_limited")
        assert document["limit"] == "attempts to sign in from the address"
    script = anonymous.post(
        "/console/login", data={"token": person.key}, headers=from_here(anonymous, json=True)
    )
    problem(script, 429, "rate_limited")
    page = anonymous.post("/console/login", data={"token": person.key}, headers=from_here(anonymous))
    assert page.status_code == 429
    assert "attempts to sign in from the address" in page.text
    # Who has a session goes on.
    assert person.client.get(CONVERSATIONS).status_code == 200
    assert person.client.post("/v1/session/refresh").status_code == 200


def test_who_is_not_known_is_limited_by_address_and_who_is_goes_on(
    person: Person, anonymous: httpx.Client, limit: Limit
) -> None:
    limit(requests=3)
    answers = [anonymous.get(CONVERSATIONS, headers=bearer("a.b.c")) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
    assert problem(answers[4], 429, "rate_limited")["limit"] == "refused requests from the address"
    assert int(answers[4].headers["retry-after"]) >= 1
    assert person.client.get(CONVERSATIONS).status_code == 200


def test_what_needs_no_credential_is_not_counted(anonymous: httpx.Client, limit: Limit) -> None:
    limit(requests=1, sessions=1, tenant_requests=1)
    for address in ("/healthz", "/readyz", "/metrics", "/api/openapi.json"):
        answers = [anonymous.get(address) for _ in range(4)]
        assert {answer.status_code for answer in answers} == {200}
        assert all("ratelimit" not in answer.headers for answer in answers)


def forget(tenant: UUID) -> None:
    with tenant_transaction(tenant), connections["default"].cursor() as cursor:
        cursor.execute("DELETE FROM rate_hit")
        cursor.execute("DELETE FROM rate_window")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def from_here(client: httpx.Client, *, json: bool = False) -> dict[str, str]:
    accept = {"Accept": "application/json"} if json else {}
    return {"Origin": str(client.base_url).rstrip("/"), **accept}
