"""Documents over HTTP: sent, followed, asked, deleted."""

from collections.abc import Callable, Iterator
from threading import Event
from typing import Any

import httpx
import pytest

from soma.base.clock import now
from soma.base.database import tenant_transaction
from soma.base.ids import new_id
from soma.brain.api import MAX_BYTES
from soma.brain.models import DocumentRow
from soma.interfaces.http.guard import BODY_LIMITS
from tests.interfaces.person import Person, problem, raw
from tests.interfaces.served import Served

pytestmark = pytest.mark.req("RAG-001")
INGEST, DOCUMENTS, RETRIEVE = "/rag/ingest", "/rag/documents", "/rag/retrieve"
PATIENCE_SECONDS = 60.0
GUIDE = b"# Kettles\n\n## Green\n\nThe green kettle whistles in D minor.\n\n## Red\n\nIt is silent.\n"
MARKDOWN = {"Content-Type": "text/markdown; charset=utf-8"}


def settled(person: Person, answer: httpx.Response, **query: str) -> dict[str, Any]:
    """The document that `answer` took in, once there is nothing more to do for it."""
    assert answer.status_code == 202, answer.text
    pause = Event()
    for _ in range(int(PATIENCE_SECONDS / 0.1)):
        document: dict[str, Any] = person.client.get(
            f"{DOCUMENTS}/{answer.json()['id']}", params=query
        ).json()
        if document["status"] in {"done", "failed", "cancelled"}:
            return document
        pause.wait(0.1)
    raise AssertionError(f"the document is not done: {document}")


def sent(person: Person, content: bytes = GUIDE, **query: str) -> dict[str, Any]:
    """A Markdown document, sent and taken in."""
    answer = person.client.post(INGEST, content=content, headers=MARKDOWN, params=query)
    return settled(person, answer, **{name: query[name] for name in query if name == "namespace"})


def passages(person: Person, query: str, **more: object) -> list[dict[str, Any]]:
    answer = person.client.post(RETRIEVE, json={"query": query, **more})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["passages"]
    return found


def test_what_is_sent_is_read_and_found_where_it_stands(person: Person) -> None:
    document = sent(person, name="kettles.md")
    best = passages(person, "In which key does the green kettle whistle?", explain=True)[0]

    assert (document["status"], document["title"], document["key"]) == ("done", "Kettles", "kettles.md")
    assert document["chunks_done"] == document["chunks"] >= 1
    assert best["document_id"] == document["id"]
    assert GUIDE.decode()[best["start"] : best["end"]] == best["text"]
    assert "D minor" in best["text"] and best["heading"][0] == "Kettles"
    assert "lexical" in best["explanation"]
    assert len(best["trace_id"]) == 32
    assert passages(person, "kettle")[0]["explanation"] is None


def test_a_form_brings_a_file(person: Person) -> None:
    answer = person.client.post(
        INGEST,
        data={"title": "Kettles, told"},
        files={"file": ("kettles.html", b"<h1>Blue</h1><p>The blue kettle is a fake.", "text/html")},
    )
    document = settled(person, answer)

    assert (document["title"], document["name"]) == ("Kettles, told", "kettles.html")
    assert document["media_type"] == "text/html"
    assert passages(person, "Which kettle is a fake?")[0]["title"] == "Kettles, told"


def test_the_same_again_is_the_same_and_another_content_replaces_it(person: Person) -> None:
    first = sent(person, key="k")
    assert sent(person, key="k") == first
    second = sent(person, b"# Kettles\n\nAll kettles were sold to a museum.\n", key="k")

    assert (second["id"], second["revision"]) == (first["id"], 2)
    assert all("D minor" not in each["text"] for each in passages(person, "green kettle"))


def test_documents_are_listed_and_deleted(person: Person) -> None:
    ids = [sent(person, f"Document {number}.".encode(), key=f"k{number}")["id"] for number in range(3)]
    first = person.client.get(DOCUMENTS, params={"limit": 2}).json()
    rest = person.client.get(DOCUMENTS, params={"limit": 2, "after": first["next"]}).json()
    assert [each["id"] for each in first["items"] + rest["items"]] == ids[::-1]
    assert rest["next"] is None

    address = f"{DOCUMENTS}/{ids[1]}"
    assert person.client.delete(address).status_code == 204
    problem(person.client.get(address), 404, "not_found")
    problem(person.client.delete(address), 404, "not_found")
    assert all(each["document_id"] != ids[1] for each in passages(person, "Document 1."))


def test_a_collection_is_kept_apart(person: Person) -> None:
    document = sent(person, namespace="manuals")

    assert passages(person, "green kettle") == []
    assert passages(person, "green kettle", namespace="manuals")[0]["document_id"] == document["id"]
    problem(person.client.get(f"{DOCUMENTS}/{document['id']}"), 404, "not_found")


def test_a_document_counts_as_evidence_in_memory(person: Person) -> None:
    sent(person)
    recalled = person.client.post("/v1/memory/recall", json={"query": "How does the green kettle whistle?"})

    assert recalled.json()["evidence"][0]["provenance"]["kind"] == "document"


def test_what_cannot_be_read_says_why(person: Person) -> None:
    answer = person.client.post(
        INGEST, content=b"%PDF-1.7\n%%EOF", headers={"Content-Type": "application/pdf"}
    )
    document = settled(person, answer)

    assert (document["status"], document["reason"]) == ("failed", "damaged")
    assert document["detail"]
    assert passages(person, "PDF") == []


def test_what_is_cancelled_is_forgotten(person: Person) -> None:
    content = "\n\n".join(f"# Kettle {number}\n\n" + "It whistles all day. " * 60 for number in range(120))
    answer = person.client.post(INGEST, content=content.encode(), headers=MARKDOWN)
    cancelled = person.client.post(f"{DOCUMENTS}/{answer.json()['id']}/cancel")

    assert cancelled.json()["status"] == "cancelled"
    assert settled(person, answer)["chunks_done"] == 0
    assert passages(person, "kettle") == []


@pytest.mark.parametrize(
    ("content", "headers", "query", "status", "code"),
    [
        (b"", MARKDOWN, {}, 422, "document_unreadable"),
        (b"One.", {"Content-Type": "image/png"}, {}, 415, "unsupported_media_type"),
        (b"One.", {"Content-Type": "application/octet-stream"}, {}, 415, "unsupported_media_type"),
        (b"One.", MARKDOWN, {"colour": "red"}, 422, "invalid_input"),
        (b"One.", MARKDOWN, {"namespace": "../other"}, 422, "invalid_input"),
        (b"One.", MARKDOWN, {"title": "t" * 201}, 422, "limit_exceeded"),
        (b"One.", MARKDOWN, {"title": "a\0"}, 422, "invalid_input"),
        (b"--x", {"Content-Type": "multipart/form-data"}, {}, 400, "bad_request"),
        (b"--x--\r\n", {"Content-Type": "multipart/form-data; boundary=x"}, {}, 422, "invalid_input"),
    ],
)
def test_a_bad_document_is_refused_and_nothing_stored(
    person: Person, content: bytes, headers: dict[str, str], query: dict[str, str], status: int, code: str
) -> None:
    before = person.rows()
    problem(person.client.post(INGEST, content=content, headers=headers, params=query), status, code)
    after = person.rows()
    noted = {"outbox_message", "event_log", "audit_link"}
    assert {name for name in after if after[name] != before[name]} <= noted
    assert after["document"] == after["document_part"] == 0


def test_a_document_past_the_limit_is_refused_and_the_limit_named(person: Person) -> None:
    answer = person.client.post(INGEST, content=b"x" * (MAX_BYTES + 1), headers=MARKDOWN)
    document = problem(answer, 413, "limit_exceeded")

    assert document["maximum"] == MAX_BYTES
    assert person.rows()["document"] == 0


def test_a_body_past_the_limit_is_refused_before_it_is_read(person: Person, served: Served) -> None:
    limit = BODY_LIMITS[INGEST]
    assert limit >= MAX_BYTES
    head = f"POST {INGEST} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {limit + 1}\r\n"
    assert raw(served.url, f"{head}Expect: 100-continue\r\n\r\n".encode()).startswith(b"HTTP/1.1 413 ")

    def chunks() -> Iterator[bytes]:
        for _ in range(limit // (1 << 20) + 1):
            yield b"x" * (1 << 20)

    problem(person.client.post(INGEST, content=chunks(), headers=MARKDOWN), 413, "limit_exceeded")
    assert person.rows()["document"] == 0


@pytest.mark.req("AUTH-004")
def test_nobody_finds_or_touches_what_is_anothers(person: Person, newcomer: Callable[[], Person]) -> None:
    document = sent(person)
    stranger = newcomer()
    address = f"{DOCUMENTS}/{document['id']}"

    assert passages(stranger, "green kettle") == []
    assert passages(stranger, "green kettle", document_ids=[document["id"]]) == []
    assert stranger.client.get(DOCUMENTS).json()["items"] == []
    for answer in (
        stranger.client.get(address),
        stranger.client.delete(address),
        stranger.client.post(f"{address}/cancel"),
    ):
        problem(answer, 404, "not_found")
    assert passages(person, "green kettle")


@pytest.mark.req("AUTH-002")
def test_an_observer_asks_and_does_not_send(observer: Person) -> None:
    assert passages(observer, "green kettle") == []
    problem(observer.client.post(INGEST, content=GUIDE, headers=MARKDOWN), 403, "denied")
    assert observer.rows()["document"] == 0


@pytest.mark.req("AUTH-002")
def test_nobody_unknown_sends(anonymous: httpx.Client) -> None:
    problem(anonymous.post(INGEST, content=GUIDE, headers=MARKDOWN), 401, "unauthenticated")
    problem(anonymous.post(RETRIEVE, json={"query": "kettle"}), 401, "unauthenticated")


@pytest.mark.parametrize(
    "body",
    [
        {"query": " "},
        {"query": "a", "top_k": 0},
        {"query": "a", "min_score": 2},
        {"query": "a", "document_ids": ["x"]},
        {"query": "a", "namespace": "a/b"},
    ],
)
def test_a_bad_question_is_refused(person: Person, body: dict[str, object]) -> None:
    problem(person.client.post(RETRIEVE, json=body), 422, "invalid_input")


def test_the_largest_page_says_that_there_are_more(person: Person) -> None:
    first = sent(person, name="first.md")
    with tenant_transaction(person.tenant_id):
        namespace = DocumentRow.objects.values_list("namespace", flat=True).get()
    rows = [
        DocumentRow(
            id=new_id(),
            tenant_id=person.tenant_id,
            namespace=namespace,
            key=str(number),
            media_type="text/plain",
            size=0,
            revision=0,
            status="cancelled",
            characters=0,
            chunks=0,
            chunks_done=0,
            stale=[],
            attempts=0,
            received_at=now(),
        )
        for number in range(200)
    ]
    with tenant_transaction(person.tenant_id):
        DocumentRow.objects.bulk_create(rows)
    page = person.client.get(DOCUMENTS, params={"limit": 200}).json()
    assert len(page["items"]) == 200
    rest = person.client.get(DOCUMENTS, params={"limit": 200, "after": page["next"]}).json()
    assert ([each["id"] for each in rest["items"]], rest["next"]) == ([first["id"]], None)
