"""The audit chain over HTTP."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from soma.events.audit.verifier import verified
from soma.identity.api import NewUser
from tests.interfaces.person import Person, problem
from tests.interfaces.served import Served

pytestmark = pytest.mark.req("AUDIT-001")
VERIFY, EXPORT, KEY = "/v1/audit/verify", "/v1/audit/export", "/v1/audit/key"


@pytest.fixture
def busy(person: Person) -> Person:
    """Somebody whose tenant has events in the log."""
    for _ in range(3):
        assert person.client.get("/v1/memory/export").status_code == 200
    assert person.relay.drain(30)
    return person


def lines_of(person: Person) -> list[str]:
    answer = person.client.get(EXPORT)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return answer.text.splitlines(keepends=True)


def report_of(person: Person) -> dict[str, Any]:
    answer = person.client.get(VERIFY)
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


def test_a_log_is_verified_exported_and_verified_by_others(busy: Person) -> None:
    report = report_of(busy)
    assert (report["intact"], report["broken"], report["tenant_id"]) == (True, None, str(busy.tenant_id))
    assert report["events"] == report["sequence"] >= 4
    key = busy.client.get(KEY).json()
    assert key["algorithm"] == "Ed25519"
    lines = lines_of(busy)
    assert verified(iter(lines), key["public"], None).events >= report["events"]
    assert json.loads(lines[0])["public_key"] == key


def test_from_a_checkpoint_that_was_kept(busy: Person) -> None:
    head = json.loads(lines_of(busy)[0])["head"]
    assert busy.relay.drain(30)
    answer = busy.client.post(VERIFY, json={"checkpoint": head})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["intact"], answer.json()["after"]) == (True, head["sequence"])


@pytest.mark.parametrize(
    "change",
    [
        {"sequence": 0},
        {"sequence": "1"},
        {"link": "ff"},
        {"signature": "0" * 128},
        {"created_at": "yesterday"},
        {"key_id": "\0" * 16},
        {"type": "other"},
        {"more": 1},
    ],
)
def test_what_is_no_checkpoint_of_ours_is_refused(busy: Person, change: dict[str, Any]) -> None:
    head = json.loads(lines_of(busy)[0])["head"]
    answer = busy.client.post(VERIFY, json={"checkpoint": {**head, **change}})
    problem(answer, 422, "invalid_input")


def test_a_checkpoint_of_another_tenant_is_refused(busy: Person, newcomer: Callable[[], Person]) -> None:
    other = newcomer()
    assert other.client.get("/v1/memory/export").status_code == 200
    assert other.relay.drain(30)
    head = json.loads(lines_of(other)[0])["head"]
    problem(busy.client.post(VERIFY, json={"checkpoint": head}), 422, "invalid_input")


def test_an_export_holds_the_callers_tenant_alone(busy: Person, newcomer: Callable[[], Person]) -> None:
    other = newcomer()
    assert other.client.get("/v1/memory/export").status_code == 200
    assert other.relay.drain(30)
    for line in map(json.loads, lines_of(busy)):
        if line["kind"] == "event":
            assert line["event"]["tenant_id"] == str(busy.tenant_id)


@pytest.mark.req("AUTH-002")
@pytest.mark.parametrize(
    ("role", "verifies", "exports"),
    [("operator", 200, 200), ("observer", 200, 403), ("guest", 403, 403)],
)
def test_who_may(
    busy: Person,
    served: Served,
    sign_in: Callable[[NewUser], Person],
    role: str,
    verifies: int,
    exports: int,
) -> None:
    owner = served.runtime.identity.verify(busy.jwt)
    client = sign_in(served.runtime.identity.create_user(owner, name="Gus", role=role)).client
    assert client.get(VERIFY).status_code == verifies
    assert client.get(KEY).status_code == verifies
    assert client.get(EXPORT).status_code == exports


@pytest.mark.parametrize("path", [VERIFY, EXPORT, KEY])
def test_nobody_else_may(served: Served, anonymous: Any, path: str) -> None:
    assert anonymous.get(path).status_code == 401
