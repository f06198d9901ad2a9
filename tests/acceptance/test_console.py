"""The chat page in a real browser, against `somagent up` on a fresh home."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.chromium import Chromium, binary, chromium
from tests.acceptance.server import Server
from tests.prepared_home import PrepareHome

pytestmark = [
    pytest.mark.skipif(binary() is None, reason="no chromium on this machine: apt-get install chromium"),
    pytest.mark.timeout(300),
]

ANSWER_SECONDS = 120
READY = "document.querySelector('#composer-text') && document.documentElement.dataset.rail"
IDLE = "document.getElementById('composer').dataset.state === 'idle'"
RUNNING = "document.getElementById('composer').dataset.state === 'running'"
ANSWER = "[...document.querySelectorAll('.message.is-answer .prose')].at(-1)"
RECORD_LENGTHS = f"""
window.lengths = new Set();
new MutationObserver(() => window.lengths.add({ANSWER}?.textContent.length ?? 0))
  .observe(document.getElementById('dialogue'), {{ childList: true, subtree: true, characterData: true }});
"""


@pytest.fixture(scope="module")
def server(prepare_home: PrepareHome) -> Iterator[Server]:
    """A server with a home of its own, which is short: it holds a socket."""
    home = prepare_home(Path(tempfile.mkdtemp(prefix="soma-console-")))
    made = Server(home)
    made.start()
    yield made
    made.stop()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def browser(server: Server) -> Iterator[Chromium]:
    """A browser that has opened the address which the server prints at its first start. Whatever the page
    logged as an error fails the test."""
    program = binary()
    assert program is not None
    with chromium(program) as opened:
        opened.open(f"{server.url}/#token={server.key}")
        opened.wait(READY)
        yield opened
        assert opened.faults == []


def say(browser: Chromium, text: str) -> None:
    """Type a message and send it."""
    browser.evaluate("document.getElementById('composer-text').focus()")
    browser.write(text)
    browser.press("Enter")


def module(browser: Chromium, name: str, expression: str) -> object:
    """What `expression` gives with the page's module `name` as m."""
    source = browser.evaluate("document.querySelector('script[type=module]').src")
    address = source.rsplit("/", 1)[0] + f"/{name}"
    return browser.evaluate(f"import({json.dumps(address)}).then((m) => {expression})")


@pytest.mark.req("AUTH-003")
def test_token_leaves_the_address_and_never_reaches_scripts(browser: Chromium, server: Server) -> None:
    assert browser.evaluate("location.href") == f"{server.url}/"
    seen = "document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage)"
    seen = browser.evaluate(f"{seen} + document.documentElement.outerHTML")
    assert server.key not in seen
    assert "soma_session" not in seen


@pytest.mark.req("CHAT-002", "LEARN-001", "TRACE-001")
def test_answer_streams_and_the_inspector_follows(browser: Chromium) -> None:
    browser.evaluate(RECORD_LENGTHS)
    say(browser, "What is 348 * 27?")
    browser.wait(RUNNING)
    browser.wait("document.querySelectorAll('#inspect-iterations .card').length > 0", ANSWER_SECONDS)
    browser.wait(IDLE, ANSWER_SECONDS)
    assert browser.evaluate("window.lengths.size") > 3
    assert "348" in browser.evaluate("document.querySelector('.said').textContent")
    answer = browser.evaluate(f"{ANSWER}.textContent")
    assert answer.strip()
    assert (
        browser.evaluate("document.querySelector('#inspect-iterations .tool-name').textContent")
        == "calculator"
    )
    assert browser.evaluate("document.querySelectorAll('#inspect-learning .meter').length") == 11
    moved = browser.evaluate(
        "[...document.querySelectorAll('#inspect-learning .meter-delta')].map((node) => node.textContent)"
    )
    assert any(moved)
    assert browser.evaluate("document.querySelectorAll('#inspect-lanes .lane').length") == 5
    assert browser.evaluate("document.querySelectorAll('#inspect-lanes .suggestions li').length") >= 4
    browser.wait("document.querySelectorAll('.phase-times .is-write').length > 0")
    assert browser.evaluate("document.querySelector('#conversation-list [aria-current] span').textContent")

    shown = browser.evaluate("document.getElementById('inspect-learning').textContent")
    browser.reload()
    browser.wait("document.querySelectorAll('#inspect-learning .meter').length === 11")
    browser.wait(f"document.getElementById('inspect-learning').textContent === {json.dumps(shown)}")
    assert browser.evaluate(f"{ANSWER}.textContent") == answer


@pytest.mark.req("CHAT-002")
def test_escape_cancels_the_turn(browser: Chromium) -> None:
    say(browser, "Tell me a very long story about a lighthouse, with every detail you can think of.")
    browser.wait(f"{ANSWER}?.textContent.length > 20", ANSWER_SECONDS)
    browser.press("Escape")
    browser.wait(IDLE)
    assert "Cancelled" in browser.evaluate("document.querySelector('.message.is-answer .meta').textContent")
    assert (
        browser.evaluate("document.querySelector('#inspect-summary .summary-title').textContent")
        == "Cancelled"
    )


@pytest.mark.req("LEARN-004", "REVERSE-001")
def test_thumb_is_taken_and_what_it_taught_is_drawn(browser: Chromium) -> None:
    say(browser, "Tell me a long story about a garden.")
    browser.wait(f"{ANSWER}?.textContent.length > 20", ANSWER_SECONDS)
    assert browser.evaluate("getComputedStyle(document.querySelector('.thumbs')).display") == "none"
    browser.press("Escape")
    browser.wait(IDLE, ANSWER_SECONDS)
    browser.wait("getComputedStyle(document.querySelector('.thumbs')).display !== 'none'")
    for thumb in ("down", "up"):
        browser.evaluate(f"document.querySelector('[data-thumb={thumb}]').click()")
        browser.wait("document.querySelectorAll('#inspect-history .history-line').length === 11")
        drawn = "document.querySelectorAll('#inspect-history .history-mark.is-feedback').length"
        browser.wait(f"{drawn} === {2 if thumb == 'down' else 4}")
    assert browser.evaluate("document.querySelectorAll('#inspect-history .history-legend li').length") == 11
    browser.reload()
    browser.wait("document.querySelector('[data-thumb=up]')?.getAttribute('aria-pressed') === 'true'")
    assert browser.evaluate("document.querySelector('[data-thumb=down]').ariaPressed") == "false"


@pytest.mark.req("CHAT-002")
def test_page_left_in_the_middle_of_a_turn_takes_it_up_again(browser: Chromium) -> None:
    say(browser, "Tell me a long story about a harbour.")
    browser.wait(f"{ANSWER}?.textContent.length > 20", ANSWER_SECONDS)
    begun = browser.evaluate(f"{ANSWER}.textContent.slice(0, 20)")
    browser.reload()
    browser.wait(f"{ANSWER}?.textContent.length > 20")
    assert browser.evaluate(f"{ANSWER}.textContent.slice(0, 20)") == begun
    browser.wait(f"{RUNNING} || {IDLE}")
    browser.press("Escape")
    browser.wait(IDLE, ANSWER_SECONDS)


@pytest.mark.req("CHAT-001")
def test_message_past_the_limit_is_told_in_bytes_and_not_sent(browser: Chromium) -> None:
    browser.evaluate("document.getElementById('composer-text').focus()")
    browser.write("é" * 16_385)
    browser.wait("document.getElementById('composer-note').textContent.startsWith('2 bytes over')")
    browser.press("Enter")
    assert browser.evaluate("document.getElementById('composer-send').disabled")
    assert browser.evaluate("document.querySelectorAll('.message').length") == 0


@pytest.mark.req("CHAT-002")
def test_keyboard_reaches_the_composer_and_a_new_conversation(browser: Chromium) -> None:
    browser.evaluate("document.activeElement.blur()")
    browser.press("/")
    assert browser.evaluate("document.activeElement.id") == "composer-text"
    assert browser.evaluate("document.activeElement.value") == ""
    browser.evaluate("document.querySelector('#conversation-list a')?.click()")
    browser.press("k", control=True)
    browser.wait("location.search === '' && document.querySelector('.welcome')")


@pytest.mark.req("CHAT-002")
def test_text_of_a_model_never_becomes_elements_of_its_own(browser: Chromium) -> None:
    hostile = (
        "<script>window.ran = 1</script>\n\n<img src=x onerror='window.ran = 1'>\n\n"
        "- **bold <b>x</b>** `code <i>y</i>`\n\n```html\n<iframe src='javascript:1'></iframe>\n```\n\n"
        "[link](javascript:window.ran=1) <a href='//elsewhere'>z</a>"
    )
    browser.evaluate("document.body.append(window.box = document.createElement('div'))")
    module(browser, "markdown.js", f"new m.MarkdownView(box).show({json.dumps(hostile)})")
    made = browser.evaluate("[...box.querySelectorAll('*')].map((node) => node.localName).sort().join(' ')")
    assert made == "code code li p p p pre strong ul"
    assert "<script>window.ran = 1</script>" in browser.evaluate("box.textContent")
    assert browser.evaluate("window.ran") is None


@pytest.mark.req("CHAT-004")
def test_new_attempt_drops_what_the_dead_one_said_of_its_iteration(browser: Chromium) -> None:
    frames: list[tuple[str, dict[str, object]]] = [
        ("turn.started", {"attempt": 1, "seed": 1, "resumed_iteration": None}),
        ("plan", {"iteration": 0, "evidence": []}),
        ("answer.delta", {"iteration": 0, "text": "kept"}),
        ("learn", {"iteration": 0}),
        ("plan", {"iteration": 1, "evidence": []}),
        ("answer.delta", {"iteration": 1, "text": "lost"}),
        ("turn.started", {"attempt": 2, "seed": 1, "resumed_iteration": 1}),
        ("plan", {"iteration": 1, "evidence": []}),
        ("answer.delta", {"iteration": 1, "text": "new"}),
    ]
    assert shown_after(browser, frames[:6]) == "lost"
    assert shown_after(browser, frames[:7]) == "kept"
    assert shown_after(browser, frames) == "new"


def shown_after(browser: Chromium, frames: list[tuple[str, dict[str, object]]]) -> object:
    """The text that the page shows of a turn after these frames."""
    sent = json.dumps([{"event": event, "data": data} for event, data in frames])
    return module(browser, "turn.js", f"m.visibleText({sent}.reduce(m.apply, m.newTurn('t')))")
