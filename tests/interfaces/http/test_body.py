"""A bad body is refused with a problem, and nothing of it is stored."""

import json
from collections.abc import Iterator

import pytest

from soma.interfaces.http.guard import BODY_LIMIT
from tests.interfaces.person import CONVERSATIONS, Person, problem, raw
from tests.interfaces.served import Served

JSON = {"Content-Type": "application/json"}
KIBIBYTE = 1024

BAD = [
    pytest.param(b"", 422, "invalid_input", id="no body"),
    pytest.param(b"{}", 422, "invalid_input", id="empty object"),
    pytest.param(b'{"message": ""}', 422, "invalid_input", id="empty text"),
    pytest.param(b'{"message": " \\n\\t "}', 422, "invalid_input", id="white space"),
    pytest.param(b'{"message": "\xff\xfe"}', 400, "not_utf8", id="not UTF-8"),
    pytest.param(b'{"message": "hello"', 400, "malformed_json", id="cut off"),
    pytest.param(b"[" * 100_000, 400, "malformed_json", id="nested without end"),
    pytest.param(b'{"message": "a", "message": "b"}', 400, "malformed_json", id="named twice"),
    pytest.param(b'{"message": "a", "seed": NaN}', 400, "malformed_json", id="NaN"),
    pytest.param(b'{"message": "a", "seed": ' + b"9" * 5000 + b"}", 400, "malformed_json", id="huge number"),
    pytest.param(b'{"message": "a", "shout": true}', 422, "invalid_input", id="unknown field"),
    pytest.param(b'{"message": "a", "\\ud800": 1}', 422, "invalid_input", id="field that is no text"),
    pytest.param(b'{"message": 5}', 422, "invalid_input", id="number for text"),
    pytest.param(b'{"message": ["a"]}', 422, "invalid_input", id="list for text"),
    pytest.param(b'{"message": null}', 422, "invalid_input", id="null for text"),
    pytest.param(b'{"message": "a", "seed": "5"}', 422, "invalid_input", id="text for number"),
    pytest.param(b'{"message": "a", "seed": true}', 422, "invalid_input", id="true for number"),
    pytest.param(b'{"message": "a", "seed": 5.5}', 422, "invalid_input", id="fraction for whole number"),
    pytest.param(b'{"message": "a", "seed": -1}', 422, "invalid_input", id="negative seed"),
    pytest.param(b'{"message": "a", "seed": 4294967296}', 422, "invalid_input", id="seed past 32 bits"),
    pytest.param(b'["a"]', 422, "invalid_input", id="list"),
    pytest.param(b'"a"', 422, "invalid_input", id="text"),
    pytest.param(b"null", 422, "invalid_input", id="null"),
    pytest.param(b'{"message": "a\\u0000b"}', 422, "invalid_input", id="NUL"),
    pytest.param(b'{"message": "a\\ud800b"}', 422, "invalid_input", id="half a surrogate pair"),
    pytest.param(
        json.dumps({"message": "a" * (32 * KIBIBYTE + 1)}).encode(), 413, "limit_exceeded", id="long text"
    ),
    pytest.param(json.dumps({"message": "a" * BODY_LIMIT}).encode(), 413, "limit_exceeded", id="long body"),
]


@pytest.mark.req("CHAT-001")
@pytest.mark.parametrize(("body", "status", "code"), BAD)
def test_bad_message_is_refused_and_nothing_stored(
    person: Person, body: bytes, status: int, code: str
) -> None:
    conversation = person.conversation()
    before = person.rows()
    answer = person.client.post(f"{CONVERSATIONS}/{conversation}/messages", content=body, headers=JSON)
    problem(answer, status, code)
    assert person.rows() == before


@pytest.mark.req("CHAT-001")
@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", ""],
)
def test_body_of_another_type_is_refused(person: Person, content_type: str) -> None:
    conversation = person.conversation()
    before = person.rows()
    answer = person.client.post(
        f"{CONVERSATIONS}/{conversation}/messages",
        content=b'{"message": "hello"}',
        headers={"Content-Type": content_type},
    )
    problem(answer, 415, "unsupported_media_type")
    assert person.rows() == before


@pytest.mark.req("CHAT-001")
def test_findings_point_into_the_body(person: Person) -> None:
    answer = person.client.post(CONVERSATIONS, json={"title": 5, "a/b": 1})
    findings = problem(answer, 422, "invalid_input")["errors"]
    assert {finding["pointer"] for finding in findings} == {"/title", "/a~1b"}
    assert all(finding["in"] == "body" and finding["message"] and finding["code"] for finding in findings)


@pytest.mark.req("CHAT-001")
def test_limit_is_named(person: Person) -> None:
    body = json.dumps({"message": "a" * (40 * KIBIBYTE)}).encode()
    conversation = person.conversation()
    answer = person.client.post(f"{CONVERSATIONS}/{conversation}/messages", content=body, headers=JSON)
    document = problem(answer, 413, "limit_exceeded")
    assert document["maximum"] == 32 * KIBIBYTE
    assert document["actual"] == 40 * KIBIBYTE
    assert "message" in document["limit"]


@pytest.mark.req("CHAT-001")
def test_long_body_in_chunks_is_refused(person: Person) -> None:
    conversation = person.conversation()
    before = person.rows()

    def chunks() -> Iterator[bytes]:
        yield b'{"message": "'
        for _ in range(64):
            yield b"a" * (64 * KIBIBYTE)
        yield b'"}'

    address = f"{CONVERSATIONS}/{conversation}/messages"
    document = problem(person.client.post(address, content=chunks(), headers=JSON), 413, "limit_exceeded")
    assert document["maximum"] == BODY_LIMIT
    assert person.rows() == before


@pytest.mark.req("CHAT-001")
def test_announced_length_is_refused_before_the_body_is_sent(served: Served) -> None:
    head = f"POST /v1/session/mint HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {BODY_LIMIT + 1}\r\n"
    answer = raw(served.url, f"{head}Expect: 100-continue\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"code":"limit_exceeded"' in answer
