"""Memory as JSON Lines over HTTP."""

import base64
import json
import struct
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.interfaces.person import Person, problem
from tests.interfaces.served import Served

pytestmark = pytest.mark.req("MEM-001")
EXPORT, IMPORT = "/v1/memory/export", "/v1/memory/import"
LINES = {"Content-Type": "application/x-ndjson"}
LINE: dict[str, Any] = {
    "line": "record",
    "key": "k",
    "content": "The heron stands in the river.",
    "role": "user",
    "speaker": "Ada",
    "importance": 0.5,
    "occurred_at": "2026-01-01T00:00:00Z",
    "created_at": "2026-01-01T00:00:00Z",
    "provenance": {"trace_id": "t", "source_request": "r", "session": "s"},
}


def tell(person: Person, count: int, *, namespace: str = "default") -> None:
    for start in range(0, count, 100):
        items = [
            {"content": f"Fact {n} of many.", "key": f"k{n:05}"}
            for n in range(start, min(count, start + 100))
        ]
        answer = person.client.post("/v1/memory/remember", json={"namespace": namespace, "items": items})
        assert len(answer.json()["stored"]) == len(items), answer.text


def exported(person: Person, **where: object) -> list[dict[str, Any]]:
    answer = person.client.get(EXPORT, params={key: str(value) for key, value in where.items()})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def imported(person: Person, *lines: object, **where: str) -> httpx.Response:
    body = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    return person.client.post(IMPORT, content=body, headers=LINES, params=where)


def recalled(person: Person, query: str, namespace: str = "default") -> list[dict[str, Any]]:
    answer = person.client.post(
        "/v1/memory/recall", json={"query": query, "namespace": namespace, "explain": True}
    )
    evidence: list[dict[str, Any]] = answer.json()["evidence"]
    return evidence


def test_what_is_exported_is_imported_and_found_by_word(person: Person) -> None:
    tell(person, 3, namespace="one")
    header, *lines = exported(person, namespace="one")
    assert header == {"line": "namespace", "format": 1, "namespace": "one"}
    assert [line["key"] for line in lines] == ["k00000", "k00001", "k00002"]

    done = imported(person, header, *lines, LINE, namespace="two")
    assert done.json() == {"stored": 4, "updated": 0, "unchanged": 0, "duplicates": 0, "links": 0}
    assert imported(person, header, *lines, LINE, namespace="two").json()["unchanged"] == 4
    (found,) = [each for each in recalled(person, "heron", "two") if "heron" in each["content"]]
    assert found["explanation"]["lexical"] > 0
    assert recalled(person, "heron", "one")[0]["content"] != LINE["content"]
    assert exported(person, namespace="nothing") == [
        {"line": "namespace", "format": 1, "namespace": "nothing"}
    ]


def test_vectors_travel(person: Person) -> None:
    tell(person, 2)
    lines = exported(person, vectors=True)
    assert all("vector" in line for line in lines[1:])
    assert imported(person, *lines, namespace="two").json()["stored"] == 2
    assert [line["vector"] for line in exported(person, namespace="two", vectors=True)[1:]] == [
        line["vector"] for line in lines[1:]
    ]


@pytest.mark.req("AUTH-004")
def test_nobody_exports_or_changes_anothers(person: Person, newcomer: Callable[[], Person]) -> None:
    tell(person, 2, namespace="mine")
    other = newcomer()
    assert len(exported(other, namespace="mine")) == 1
    lines = exported(person, namespace="mine")
    stolen = [{**line, "namespace": "default", "tenant_id": str(person.tenant_id)} for line in lines[1:]]
    assert (
        imported(other, {**lines[0], "namespace": "default"}, *stolen, namespace="mine").json()["stored"] == 2
    )
    assert exported(person, namespace="mine") == lines


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"content": ""}, "no content"),
        ({"content": "a\0"}, "NUL"),
        ({"content": "x" * 40_000}, "32768 bytes"),
        ({"key": "k" * 301}, "key takes"),
        ({"importance": 2}, "importance"),
        ({"occurred_at": "2026-01-01T00:00:00"}, "no time zone"),
        ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "OverflowError"),
        ({"provenance": {}}, "trace_id"),
        ({"provenance": {"trace_id": "t", "source_request": "r", "deep": {"a": 1}}}, "deep"),
        ({"vector": "AAAA"}, "buffer size"),
        ({"line": "tenant"}, "no line of an export"),
        (
            {
                "line": "link",
                "source": "k",
                "target": "k",
                "kind": "near",
                "conductance": 1,
                "created_at": "2026-01-01T00:00:00Z",
            },
            "to itself",
        ),
        ({"provenance": {"trace_id": "t", "source_request": "r", "n": 2**63}}, "64 bits"),
    ],
)
def test_a_line_that_cannot_be_taken_is_named_and_nothing_stored(
    person: Person, changes: dict[str, object], words: str
) -> None:
    before = person.rows()["memory_record"]
    document = problem(imported(person, LINE, {**LINE, "key": "b", **changes}), 422, "invalid_input")
    assert "Line 2" in document["detail"]
    assert words in document["detail"]
    assert person.rows()["memory_record"] == before


def test_limits_are_named(person: Person) -> None:
    before = person.rows()["memory_record"]
    answer = person.client.post(IMPORT, content=b"\n" * 10_001, headers=LINES)
    assert problem(answer, 422, "limit_exceeded")["maximum"] == 10_000
    answer = person.client.post(IMPORT, content=b"x" * 1_100_000, headers=LINES)
    assert problem(answer, 413, "limit_exceeded")["maximum"] == 1_048_576
    answer = person.client.post(IMPORT, content=b"x" * (17 * 1_048_576), headers=LINES)
    assert problem(answer, 413, "limit_exceeded")["maximum"] == 16 * 1_048_576
    problem(person.client.post(IMPORT, json=LINE), 415, "unsupported_media_type")
    assert person.rows()["memory_record"] == before


def test_a_vector_of_another_length_is_named(person: Person) -> None:
    answer = imported(person, LINE, {**LINE, "key": "b", "vector": "AAAAAAAA"})
    assert "Line 2" in problem(answer, 422, "wrong_dimensions")["detail"]
    assert person.rows()["memory_record"] == 0


@pytest.mark.parametrize("element", [0.0, 0.05, 1.0, 60_000.0])
def test_a_vector_that_is_no_direction_is_named(person: Person, element: float) -> None:
    vector = base64.b64encode(struct.pack("<384e", *[element] * 384)).decode()
    answer = imported(person, LINE, {**LINE, "key": "b", "vector": vector})
    detail = problem(answer, 422, "invalid_input")["detail"]
    assert "Line 2" in detail
    assert "length" in detail
    assert person.rows()["memory_record"] == 0


@pytest.mark.req("AUTH-002")
def test_observer_does_not_import(observer: Person) -> None:
    problem(imported(observer, LINE), 403, "denied")
    assert len(exported(observer)) == 1


def test_a_client_that_leaves_an_export_leaves_no_transaction_open(person: Person, served: Served) -> None:
    tell(person, 1500)
    whole = person.client.get(EXPORT).content
    with person.client.stream("GET", EXPORT) as answer:
        assert next(answer.iter_raw(1000))
    from django.db import connections

    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE usename = 'soma_app' AND state LIKE 'idle in %'"
        )
        assert cursor.fetchone() == (0,)
    connections["owner"].close()
    assert person.client.get(EXPORT).content == whole
    assert whole.count(b"\n") == 1501
