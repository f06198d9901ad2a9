"""Every response is locked down, whoever answers it."""

import httpx
import pytest

from soma.interfaces.http.guard import BODY_LIMIT
from soma.interfaces.http.headers import HEADERS

pytestmark = pytest.mark.req("AUTH-002")


@pytest.mark.parametrize(
    "request_",
    [
        httpx.Request("GET", "http://server/healthz"),
        httpx.Request("GET", "http://server/"),
        httpx.Request("GET", "http://server/nowhere"),
        httpx.Request("GET", "http://server/static/soma/mark.svg"),
        httpx.Request("GET", "http://server/static/nowhere.css"),
        httpx.Request("POST", "http://server/v1/session/mint", content=b" " * (BODY_LIMIT + 1)),
    ],
    ids=["view", "page", "404", "file", "no file", "guard"],
)
def test_headers_are_there_once(anonymous: httpx.Client, request_: httpx.Request) -> None:
    answer = anonymous.request(request_.method, request_.url.path, content=request_.content)
    for name, value in HEADERS:
        assert answer.headers.get_list(name.decode()) == [value.decode()]
