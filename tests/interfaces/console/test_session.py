"""Signing in and out with a browser."""

from collections.abc import Callable
from http.cookies import Morsel, SimpleCookie

import httpx
import pytest

from soma.interfaces.http.session_cookie import COOKIE
from tests.interfaces.console.page import read
from tests.interfaces.person import CONVERSATIONS, Person, problem

LOGIN = "/console/login"
LOGOUT = "/console/logout"
SCRIPT = {"Accept": "application/json"}

Browse = Callable[[Person | None], httpx.Client]


def cookie_of(answer: httpx.Response) -> "Morsel[str]":
    return SimpleCookie(answer.headers["set-cookie"])[COOKIE]


@pytest.mark.req("AUTH-003")
def test_token_becomes_a_cookie_that_scripts_cannot_read(person: Person, browse: Browse) -> None:
    browser = browse(None)
    answer = browser.post(LOGIN, data={"token": f" {person.key}\n"}, headers=SCRIPT)
    assert (answer.status_code, answer.content) == (204, b"")
    cookie = cookie_of(answer)
    assert cookie["httponly"] is True
    assert (cookie["samesite"], cookie["path"], cookie["max-age"]) == ("Strict", "/", "900")
    assert cookie["secure"] == ""
    assert browser.get("/").text.count('id="composer"') == 1
    assert browser.get(CONVERSATIONS).status_code == 200


@pytest.mark.req("AUTH-003")
def test_form_without_scripts_leads_to_the_page(person: Person, browse: Browse) -> None:
    answer = browse(None).post(LOGIN, data={"token": person.key})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert cookie_of(answer).value


@pytest.mark.req("AUTH-003")
@pytest.mark.parametrize(
    "token", ["", "nonsense", "soma_00000000000000000000000000000000_none", "x" * 600, "ü\x00"]
)
def test_wrong_token_is_refused(browse: Browse, token: str) -> None:
    answer = browse(None).post(LOGIN, data={"token": token}, headers=SCRIPT)
    problem(answer, 401, "unauthenticated")
    assert "set-cookie" not in answer.headers
    answer = browse(None).post(LOGIN, data={"token": token})
    assert answer.status_code == 401
    assert read(answer.text).all("input", name="token")
    assert read(answer.text).inline_code() == []
    assert "set-cookie" not in answer.headers
    assert len(token) < 10 or token not in answer.text


@pytest.mark.req("AUTH-003")
@pytest.mark.parametrize(
    "headers", [{"Origin": "https://elsewhere.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_other_sites_can_sign_nobody_in_or_out(
    person: Person, browse: Browse, headers: dict[str, str]
) -> None:
    browser = browse(person)
    del browser.headers["Origin"]
    answer = browser.post(LOGIN, data={"token": person.key}, headers=SCRIPT | headers)
    problem(answer, 403, "denied")
    assert "set-cookie" not in answer.headers
    problem(browser.post(LOGOUT, headers=headers), 403, "denied")
    assert browser.get(CONVERSATIONS).status_code == 200


@pytest.mark.req("AUTH-003")
def test_signing_out_ends_the_session(person: Person, browse: Browse) -> None:
    browser = browse(None)
    browser.post(LOGIN, data={"token": person.key}, headers=SCRIPT)
    ended = browser.cookies[COOKIE]
    answer = browser.post(LOGOUT)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert cookie_of(answer).value == ""
    assert COOKIE not in browser.cookies
    browser.cookies.set(COOKIE, ended)
    problem(browser.get(CONVERSATIONS), 401, "unauthenticated")
    assert read(browser.get("/").text).all("input", name="token")


@pytest.mark.req("AUTH-003")
def test_signing_out_twice_is_no_error(browse: Browse) -> None:
    assert browse(None).post(LOGOUT).status_code == 303


@pytest.mark.req("AUTH-003")
@pytest.mark.parametrize("path", [LOGIN, LOGOUT])
def test_following_a_link_signs_nobody_in_or_out(browser: httpx.Client, path: str) -> None:
    assert browser.get(path).status_code == 405
    assert browser.get(CONVERSATIONS).status_code == 200
