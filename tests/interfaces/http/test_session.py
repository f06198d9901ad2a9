"""Sessions: minted with a key, used as Bearer or cookie, refused once they have ended."""

from collections.abc import Callable

import httpx
import pytest

from soma.interfaces.http.session_cookie import COOKIE
from tests.interfaces.person import CONVERSATIONS, Person, problem


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.req("AUTH-003")
def test_key_becomes_a_session_of_900_seconds(person: Person, anonymous: httpx.Client) -> None:
    answer = anonymous.post("/v1/session/mint", json={}, headers=bearer(person.key))
    assert answer.status_code == 200
    assert answer.json()["expires_in"] == 900
    assert answer.headers["cache-control"] == "no-store"
    assert anonymous.get(CONVERSATIONS, headers=bearer(answer.json()["jwt"])).status_code == 200


@pytest.mark.req("AUTH-003")
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic c29tYTpzb21h"},
        {"Authorization": "Bearer soma_00000000000000000000000000000000_none"},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Bearer a.b.c"},
    ],
)
def test_nobody_is_refused(anonymous: httpx.Client, headers: dict[str, str]) -> None:
    for answer in (
        anonymous.post("/v1/session/mint", json={}, headers=headers),
        anonymous.get(CONVERSATIONS, headers=headers),
        anonymous.post(CONVERSATIONS, json={}, headers=headers),
    ):
        problem(answer, 401, "unauthenticated")
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.req("AUTH-003")
def test_session_token_is_no_key_and_key_no_session(person: Person, anonymous: httpx.Client) -> None:
    problem(anonymous.post("/v1/session/mint", json={}, headers=bearer(person.jwt)), 401, "unauthenticated")
    problem(anonymous.get(CONVERSATIONS, headers=bearer(person.key)), 401, "unauthenticated")


@pytest.mark.req("AUTH-003")
def test_session_of_another_tenant_cannot_be_minted(person: Person, newcomer: Callable[[], Person]) -> None:
    other = newcomer()
    before = person.rows()
    answer = httpx.post(
        f"{person.client.base_url}/v1/session/mint",
        json={"tenant": str(other.tenant_id)},
        headers=bearer(person.key),
    )
    problem(answer, 403, "denied")
    assert person.rows() == before


@pytest.mark.req("AUTH-003")
@pytest.mark.parametrize(
    "body",
    [
        {"tenant": 5},
        {"persona_hash": "no hash"},
        {"budgets": {"tokens": "5"}},
        {"budgets": {"tokens": -1}},
        {"budgets": {"tokens": True}},
        {"user_id": "me"},
    ],
)
def test_bad_session_request_is_refused_and_nothing_stored(
    person: Person, anonymous: httpx.Client, body: dict[str, object]
) -> None:
    before = person.rows()
    answer = anonymous.post("/v1/session/mint", json=body, headers=bearer(person.key))
    problem(answer, 422, "invalid_input")
    assert person.rows() == before


@pytest.mark.req("AUTH-003")
def test_refreshed_session_goes_on(person: Person) -> None:
    answer = person.client.post("/v1/session/refresh")
    assert answer.status_code == 200
    assert person.client.get(CONVERSATIONS, headers=bearer(answer.json()["jwt"])).status_code == 200


@pytest.mark.req("AUTH-003")
def test_revoked_session_is_refused(person: Person) -> None:
    assert person.client.post("/v1/session/revoke").status_code == 204
    problem(person.client.get(CONVERSATIONS), 401, "unauthenticated")


@pytest.fixture
def browser(person: Person, anonymous: httpx.Client) -> httpx.Client:
    """A client that holds nothing but the cookie."""
    answer = anonymous.post("/v1/session/mint", json={}, headers=bearer(person.key))
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=900"} <= set(cookie.split("; "))
    return anonymous


@pytest.mark.req("AUTH-003")
def test_cookie_is_enough_to_read(browser: httpx.Client) -> None:
    assert browser.get(CONVERSATIONS).status_code == 200


@pytest.mark.req("AUTH-003")
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_cookie_from_elsewhere_writes_nothing(
    person: Person, browser: httpx.Client, headers: dict[str, str]
) -> None:
    before = person.rows()
    problem(browser.post(CONVERSATIONS, json={}, headers=headers), 403, "denied")
    assert person.rows() == before


@pytest.mark.req("AUTH-003")
def test_cookie_from_our_own_page_writes(browser: httpx.Client) -> None:
    own = str(browser.base_url).rstrip("/")
    assert browser.post(CONVERSATIONS, json={}, headers={"Origin": own}).status_code == 201
    assert browser.post(CONVERSATIONS, json={}, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 201
