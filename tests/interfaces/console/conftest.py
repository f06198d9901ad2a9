"""Browsers: clients that send the session's cookie, and say where a request comes from."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    # pytest loads this file before Django is set up.
    from tests.interfaces.person import Person
    from tests.interfaces.served import Served


@pytest.fixture
def browse(served: "Served") -> "Iterator[Callable[[Person | None], httpx.Client]]":
    """Opens the browser of a person who is signed in, or of nobody."""
    from soma.interfaces.http.session_cookie import COOKIE

    browsers: list[httpx.Client] = []

    def open_browser(person: "Person | None" = None) -> httpx.Client:
        browser = httpx.Client(base_url=served.url, timeout=60, headers={"Origin": served.url})
        browsers.append(browser)
        if person is not None:
            browser.cookies.set(COOKIE, person.jwt)
        return browser

    yield open_browser
    for browser in browsers:
        browser.close()


@pytest.fixture
def browser(browse: "Callable[[Person | None], httpx.Client]", person: "Person") -> httpx.Client:
    """The browser of somebody who is signed in."""
    return browse(person)
