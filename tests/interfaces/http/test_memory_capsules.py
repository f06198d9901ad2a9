"""Memory capsules over HTTP."""

import json
from collections.abc import Callable, Iterator

import httpx
import pytest

from soma.base.crypto import SigningKey
from soma.base.ids import new_id
from soma.interfaces.http.guard import BODY_LIMIT
from tests.brain.capsules import STRANGER, block, capsule, signed
from tests.interfaces.person import Person, problem
from tests.interfaces.served import Served

pytestmark = pytest.mark.req("MEM-005")
CAPSULE_LIMIT = 4 * BODY_LIMIT
UPLOAD, RECALL = "/v1/memory/capsule/upload", "/v1/memory/recall"
CAPSULES, CAPSULE = "/v1/memory/capsules", "/v1/memory/capsule"
JSON = {"Content-Type": "application/json"}
KETTLE = "The green kettle stands in the workshop."
LADDER = "The long ladder hangs behind the shed."

Make = Callable[..., bytes]


@pytest.fixture
def made(served: Served) -> Make:
    """Makes documents that this installation has signed."""
    key = SigningKey.load_or_create(served.runtime.configuration.home / "secrets" / "signing_key")
    return lambda *contents, **changes: signed(
        capsule(*contents, **{"issuer": key.public.hex(), **changes}), key
    )


def upload(person: Person, data: bytes, **headers: str) -> httpx.Response:
    return person.client.post(UPLOAD, content=data, headers={**JSON, **headers})


def asked(person: Person, query: str, *capsules: str) -> httpx.Response:
    return person.client.post(RECALL, json={"query": query, "capsule_ids": capsules, "min_score": 0.0})


def contents(answer: httpx.Response) -> set[str]:
    assert answer.status_code == 200, answer.text
    return {each["content"] for each in answer.json()["evidence"]}


def test_a_capsule_is_taken_in_recalled_from_and_revoked(person: Person, made: Make) -> None:
    data = made(KETTLE, LADDER)
    stored = upload(person, data)
    assert stored.status_code == 201, stored.text
    name = stored.json()["id"]
    assert (stored.json()["blocks"], stored.json()["bytes"]) == (2, len(data))
    person.client.post("/v1/memory/remember", json={"items": [{"content": "My own kettle is red."}]})

    recalled = asked(person, "Where is the green kettle?", name)
    assert contents(recalled) == {KETTLE, LADDER}
    assert {each["capsule"] for each in recalled.json()["evidence"]} == {f"{name}@1"}
    own = person.client.post(RECALL, json={"query": "Where is the kettle?"}).json()["evidence"]
    assert [(each["content"], each["capsule"]) for each in own] == [("My own kettle is red.", None)]

    shown = person.client.get(f"{CAPSULE}/{name}").json()
    assert shown["intact"]
    assert [each["version"] for each in shown["versions"]] == [1]
    assert [each["digest"] for each in shown["blocks"]] == [
        each["digest"] for each in json.loads(data)["blocks"]
    ]
    assert KETTLE not in json.dumps([each["digest"] for each in shown["blocks"]])

    revoked = person.client.delete(f"{CAPSULE}/{name}", params={"reason": "out of date"})
    assert revoked.json()["items"][0]["revocation_reason"] == "out of date"
    assert problem(asked(person, "kettle", name), 409, "capsule_conflict")["reason"] == "revoked"
    assert problem(asked(person, "kettle", f"{name}@1"), 409, "capsule_conflict")["reason"] == "revoked"
    assert person.client.get(f"{CAPSULE}/{name}@1").json()["intact"]
    assert person.rows()["memory_record"] == 1


def test_the_same_upload_again_is_200(person: Person, made: Make) -> None:
    data = made(KETTLE)
    first = upload(person, data)
    before = person.rows()
    again = upload(person, data)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    after = person.rows()
    assert {name: count for name, count in after.items() if name.startswith("memory_")} == {
        name: count for name, count in before.items() if name.startswith("memory_")
    }


def test_the_upload_is_decided_with_what_the_capsule_says(person: Person, made: Make, served: Served) -> None:
    stored = upload(person, made(KETTLE)).json()
    assert served.runtime.relay.drain(10)
    events = [
        event
        for event in served.runtime.log.read(person.tenant_id)
        if event.type in {"gateway.request_decided", "memory.capsule.uploaded"}
    ]
    decided = [event.payload["resource"] for event in events if "resource" in event.payload]
    assert decided[-1] == {
        "tenant_id": str(person.tenant_id),
        "capsule_id": stored["id"],
        "capsule_version": "1",
        "capsule_issuer": stored["issuer"],
        "capsule_policy_hash": stored["policy_hash"],
    }
    (uploaded,) = (event for event in events if event.type == "memory.capsule.uploaded")
    assert uploaded.payload["digest"] == stored["digest"]


def test_what_is_not_genuine_is_refused_by_name(person: Person, made: Make) -> None:
    data = made(KETTLE)
    signature = json.loads(data)["signature"].encode()
    strange = signed(capsule(KETTLE, issuer=STRANGER.public.hex()), STRANGER)
    before = person.rows()
    for body, status, code, reason in (
        (b"{", 422, "capsule_refused", "not_json"),
        (b"", 422, "capsule_refused", "not_json"),
        (data + b" ", 422, "capsule_refused", "not_canonical"),
        (data.replace(b"green", b"blue!"), 422, "capsule_refused", "altered_block"),
        (data.replace(signature, b"0" * 128), 422, "capsule_refused", "bad_signature"),
        (strange, 403, "capsule_issuer_unknown", "unknown_issuer"),
        (made(blocks=()), 422, "capsule_refused", "no_blocks"),
        (made("a" * 32_769), 413, "limit_exceeded", "block_oversize"),
        (made(*(f"Fact {number}." for number in range(1_025))), 422, "limit_exceeded", "too_many_blocks"),
    ):
        document = problem(upload(person, body), status, code)
        assert document["reason"] == reason
        if code == "limit_exceeded":
            assert document["maximum"] in {32_768, 1_024}
    assert person.rows() == before


def test_versions_only_go_up(person: Person, made: Make) -> None:
    name = new_id()
    assert upload(person, made(KETTLE, capsule_id=name, version=2)).status_code == 201
    document = problem(upload(person, made(LADDER, capsule_id=name)), 409, "capsule_conflict")
    assert (document["reason"], document["latest"]) == ("version_not_above", 2)
    assert upload(person, made(LADDER, capsule_id=name, version=3)).status_code == 201
    assert contents(asked(person, "kettle or ladder", str(name))) == {LADDER}
    assert contents(asked(person, "kettle or ladder", f"{name}@2")) == {KETTLE}


def test_a_capsule_may_be_larger_than_other_requests_and_no_larger_than_its_limit(
    person: Person, made: Make
) -> None:
    text = "The kettle. " * 2_700
    large = made(blocks=tuple(block(text, key=str(number)) for number in range(34)))
    assert BODY_LIMIT < len(large) < CAPSULE_LIMIT
    stored = upload(person, large)
    assert stored.status_code == 201, stored.text
    document = problem(upload(person, b'"' + b"a" * CAPSULE_LIMIT), 413, "limit_exceeded")
    assert document["maximum"] == CAPSULE_LIMIT

    def chunks() -> Iterator[bytes]:
        for _ in range(80):
            yield b"a" * 65_536

    chunked = person.client.post(UPLOAD, content=chunks(), headers=JSON)
    assert problem(chunked, 413, "limit_exceeded")["maximum"] == CAPSULE_LIMIT
    elsewhere = person.client.post(RECALL, content=b"a" * (BODY_LIMIT + 1), headers=JSON)
    assert problem(elsewhere, 413, "limit_exceeded")["maximum"] == BODY_LIMIT


def test_a_capsule_is_json(person: Person, made: Make) -> None:
    answer = upload(person, made(KETTLE), **{"Content-Type": "application/x-yaml"})
    problem(answer, 415, "unsupported_media_type")


def test_lists_go_on_with_their_cursor(person: Person, made: Make) -> None:
    names = {upload(person, made(f"Fact {number}.")).json()["id"] for number in range(3)}
    first = person.client.get(CAPSULES, params={"limit": 2}).json()
    rest = person.client.get(CAPSULES, params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [len(first["items"]), len(rest["items"]), rest["next_cursor"]] == [2, 1, None]
    assert {each["id"] for each in first["items"] + rest["items"]} == names
    for bad in ({"limit": 0}, {"limit": 201}, {"cursor": "x"}, {"cursor": next(iter(names))}):
        problem(person.client.get(CAPSULES, params=bad), 422, "invalid_input")


def test_unknown_and_malformed_names(person: Person) -> None:
    unknown = str(new_id())
    problem(asked(person, "kettle", unknown), 404, "not_found")
    problem(person.client.get(f"{CAPSULE}/{unknown}"), 404, "not_found")
    problem(person.client.delete(f"{CAPSULE}/{unknown}", params={"reason": "r"}), 404, "not_found")
    problem(person.client.delete(f"{CAPSULE}/{unknown}"), 422, "invalid_input")
    for bad in (
        "x",
        f"{unknown}@",
        f"{unknown}@0",
        f"{unknown}@-1",
        f"{unknown}@99999999999",
        f"{unknown}@1@1",
    ):
        problem(asked(person, "kettle", bad), 422, "invalid_input")
        problem(person.client.get(f"{CAPSULE}/{bad}"), 422, "invalid_input")
    problem(asked(person, "kettle", *[unknown] * 17), 422, "invalid_input")


@pytest.mark.req("AUTH-004")
def test_another_tenant_cannot_reach_it(person: Person, newcomer: Callable[[], Person], made: Make) -> None:
    name, other = upload(person, made(KETTLE)).json()["id"], newcomer()
    for reference in (name, f"{name}@1"):
        problem(asked(other, "kettle", reference), 404, "not_found")
        problem(other.client.get(f"{CAPSULE}/{reference}"), 404, "not_found")
        problem(other.client.delete(f"{CAPSULE}/{reference}", params={"reason": "r"}), 404, "not_found")
    assert other.client.get(CAPSULES).json()["items"] == []
    assert contents(asked(person, "kettle", name)) == {KETTLE}


@pytest.mark.req("AUTH-002")
def test_an_observer_looks_and_changes_nothing(person: Person, observer: Person, made: Make) -> None:
    name = upload(person, made(KETTLE)).json()["id"]
    assert contents(asked(observer, "kettle", name)) == {KETTLE}
    assert observer.client.get(f"{CAPSULE}/{name}").status_code == 200
    problem(upload(observer, made(LADDER)), 403, "denied")
    problem(observer.client.delete(f"{CAPSULE}/{name}", params={"reason": "r"}), 403, "denied")


@pytest.mark.req("AUTH-002")
def test_nobody_is_let_in_without_a_session(anonymous: httpx.Client, made: Make) -> None:
    for answer in (
        anonymous.post(UPLOAD, content=made(KETTLE), headers=JSON),
        anonymous.get(CAPSULES),
        anonymous.get(f"{CAPSULE}/{new_id()}"),
        anonymous.delete(f"{CAPSULE}/{new_id()}"),
    ):
        problem(answer, 401, "unauthenticated")
