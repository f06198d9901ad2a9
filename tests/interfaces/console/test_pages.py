"""The page: what it shows to whom, and that nothing in it runs but what it was served with."""

from collections.abc import Callable

import httpx
import pytest

from soma.interfaces.console.edge import CONTENT_SECURITY_POLICY
from tests.interfaces.console.page import read
from tests.interfaces.person import CONVERSATIONS, Person, problem

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)> & \"quoted\" 'too'"
BEGIN = "/console/conversations"
NOBODYS = "01a1fbd1-ada8-7596-aed2-7381acb9c13d"

Browse = Callable[[Person | None], httpx.Client]


def begun(person: Person, title: str) -> str:
    answer = person.client.post(CONVERSATIONS, json={"title": title})
    assert answer.status_code == 201, answer.text
    identity: str = answer.json()["id"]
    return identity


@pytest.mark.req("AUTH-003")
def test_nobody_gets_the_sign_in_page(browse: Browse) -> None:
    answer = browse(None).get("/")
    assert answer.status_code == 200
    page = read(answer.text)
    assert page.all("form", action="/console/login", method="post")
    assert page.all("input", name="token", type="password")
    assert not page.all("textarea")


@pytest.mark.req("AUTH-003")
@pytest.mark.parametrize("path", [BEGIN, f"{BEGIN}/{NOBODYS}"])
def test_nobody_gets_no_part(browse: Browse, path: str) -> None:
    problem(browse(None).get(path), 401, "unauthenticated")


@pytest.mark.req("AUTH-003")
@pytest.mark.parametrize("path", ["/", f"/?c={NOBODYS}", BEGIN, f"{BEGIN}/{NOBODYS}"])
def test_every_answer_is_locked_down(browser: httpx.Client, path: str) -> None:
    answer = browser.get(path)
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert read(answer.text).inline_code() == []


@pytest.mark.req("AUTH-003")
def test_policy_allows_no_inline_code_and_no_other_place() -> None:
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY


@pytest.mark.req("CHAT-002")
def test_page_lists_conversations_and_opens_the_one_asked_for(person: Person, browser: httpx.Client) -> None:
    older, newer = begun(person, "The older one"), begun(person, "The newer one")
    page = read(browser.get("/").text)
    listed = [
        element.attributes["data-conversation"] for element in page.all("a", **{"hx-target": "#dialogue"})
    ]
    assert listed == [newer, older]
    assert not page.with_attribute("aria-current")
    page = read(browser.get(f"/?c={older}").text)
    assert page.all("div", **{"data-conversation": older, "data-title": "The older one"})
    assert [element.attributes["data-conversation"] for element in page.with_attribute("aria-current")] == [
        older
    ]


@pytest.mark.req("CHAT-002")
def test_hostile_titles_and_messages_stay_text(person: Person, browser: httpx.Client) -> None:
    conversation = begun(person, HOSTILE)
    sent = person.client.post(f"{CONVERSATIONS}/{conversation}/messages", json={"message": HOSTILE})
    person.client.post(f"/api/v2/chat/turns/{sent.json()['turn_id']}/cancel")
    for path in (f"/?c={conversation}", f"{BEGIN}/{conversation}", BEGIN):
        page = read(browser.get(path).text)
        assert page.inline_code() == []
        assert not page.all("img")
        assert HOSTILE in page.text
    assert page.text.count(HOSTILE) == 1


@pytest.mark.req("CHAT-002")
def test_message_carries_the_turn_to_follow(person: Person, browser: httpx.Client) -> None:
    conversation = begun(person, "")
    sent = person.client.post(
        f"{CONVERSATIONS}/{conversation}/messages", json={"message": "What time is it?"}
    )
    turn = sent.json()["turn_id"]
    person.client.post(f"/api/v2/chat/turns/{turn}/cancel")
    said = read(browser.get(f"{BEGIN}/{conversation}").text).all("article", **{"aria-label": "You"})
    assert [element.attributes["data-turn"] for element in said] == [turn]


@pytest.mark.req("AUTH-004")
def test_conversations_of_another_tenant_do_not_exist(
    person: Person, newcomer: Callable[[], Person], browser: httpx.Client
) -> None:
    theirs = begun(newcomer(), "Only theirs")
    problem(browser.get(f"{BEGIN}/{theirs}"), 404, "not_found")
    page = browser.get(f"/?c={theirs}")
    assert page.status_code == 404
    assert "That conversation is not there." in page.text
    for answer in (page, browser.get("/"), browser.get(BEGIN)):
        assert "Only theirs" not in answer.text


@pytest.mark.req("CHAT-002")
@pytest.mark.parametrize("wanted", ["nonsense", "00000000-0000-0000-0000-000000000000", "%00", "<script>"])
def test_page_of_no_conversation_says_so(browser: httpx.Client, wanted: str) -> None:
    answer = browser.get("/", params={"c": wanted})
    assert answer.status_code == 404
    assert "That conversation is not there." in answer.text
    assert read(answer.text).inline_code() == []


@pytest.mark.req("CHAT-001")
def test_begun_conversation_comes_with_its_address(person: Person, browser: httpx.Client) -> None:
    answer = browser.post(BEGIN, data={"title": "  What is 348 * 27?  "})
    assert answer.status_code == 201
    (shown,) = read(answer.text).all("div", **{"data-title": "What is 348 * 27?"})
    conversation = shown.attributes["data-conversation"]
    assert answer.headers["hx-push-url"] == f"/?c={conversation}"
    assert person.client.get(f"{CONVERSATIONS}/{conversation}").json()["title"] == "What is 348 * 27?"


@pytest.mark.req("CHAT-001")
@pytest.mark.parametrize("title", ["x" * 201, "a\x00b"])
def test_title_that_cannot_be_is_refused_and_nothing_stored(
    person: Person, browser: httpx.Client, title: str
) -> None:
    before = person.rows()
    problem(browser.post(BEGIN, data={"title": title}), 422, "invalid_input")
    assert person.rows() == before


@pytest.mark.req("AUTH-003")
@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null"])
def test_other_sites_cannot_begin_a_conversation(person: Person, browser: httpx.Client, origin: str) -> None:
    before = person.rows()["conversation"]
    problem(browser.post(BEGIN, data={}, headers={"Origin": origin}), 403, "denied")
    assert person.rows()["conversation"] == before


@pytest.mark.req("AUTH-002")
def test_observer_may_look_but_not_begin(observer: Person, browse: Browse) -> None:
    browser = browse(observer)
    assert browser.get("/").status_code == 200
    problem(browser.post(BEGIN, data={}), 403, "denied")
