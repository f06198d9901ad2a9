"""Links between memories, over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest

from soma.base.ids import new_id
from tests.interfaces.person import Person, problem

pytestmark = pytest.mark.req("MEM-004")
LINK = "/v1/memory/link"
DOG, TAX, MOON = "My dog is called Rex", "Form 730 is due in September", "The moon has no atmosphere"


def told(person: Person, *contents: str, **more: Any) -> list[str]:
    """The ids of new memories."""
    items = [{"content": content, **more} for content in contents]
    answer = person.client.post("/v1/memory/remember", json={"items": items})
    assert answer.status_code == 200, answer.text
    return [each["record_id"] for each in answer.json()["stored"]]


def linked(person: Person, source: str, target: str, **more: Any) -> dict[str, Any]:
    body = {"source_id": source, "target_id": target, "kind": "about", **more}
    answer = person.client.post(LINK, json=body)
    assert answer.status_code == 201, answer.text
    link: dict[str, Any] = answer.json()
    return link


def around(person: Person, record_id: str, **query: Any) -> dict[str, Any]:
    answer = person.client.get(f"/v1/memory/{record_id}/links", params=query)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


def test_a_link_leads_recall_from_one_memory_to_the_other(person: Person) -> None:
    dog, tax = told(person, DOG, TAX)
    question = {"query": "What is my dog's name?", "min_score": 0.3}

    def found(**more: int) -> list[dict[str, Any]]:
        answer = person.client.post("/v1/memory/recall", json={**question, **more})
        evidence: list[dict[str, Any]] = answer.json()["evidence"]
        return evidence

    assert [each["record_id"] for each in found()] == [dog]
    assert linked(person, dog, tax)["conductance"] == 1.0
    _, reached = found()
    assert reached["record_id"] == tax
    assert reached["provenance"]["path"] == [dog, tax]
    assert reached["features"]["graph"] == 0.5
    assert [each["record_id"] for each in found(k_hop=0)] == [dog]


def test_links_are_read_in_pages_and_removed(person: Person) -> None:
    dog, tax, moon = told(person, DOG, TAX, MOON)
    linked(person, dog, tax, conductance=0.5)
    linked(person, tax, moon, kind="next")
    [near] = around(person, dog)["links"]
    assert (near["source_id"], near["target_id"], near["kind"]) == (dog, tax, "about")
    assert (near["conductance"], near["rest"], near["flow"], near["hop"]) == (0.5, 0.5, 0.0, 1)
    first = around(person, dog, k_hop=2, limit=1)
    assert first["links"] == [near]
    [further] = around(person, dog, k_hop=2, limit=1, cursor=first["cursor"])["links"]
    assert (further["kind"], further["hop"]) == ("next", 2)

    named = {"source_id": dog, "target_id": tax, "kind": "about"}
    assert person.client.delete(LINK, params=named).status_code == 204
    assert around(person, dog) == {"links": [], "cursor": None}
    problem(person.client.delete(LINK, params=named), 404, "not_found")


def test_the_graph_tells_how_well_memories_are_connected(person: Person) -> None:
    dog, tax, moon = told(person, DOG, TAX, MOON, namespace="notes")
    linked(person, dog, tax, conductance=0.5)
    linked(person, tax, moon, conductance=0.25)
    told_of = person.client.get("/v1/memory/graph", params={"ids": [dog, moon]}).json()
    [between] = told_of["resistances"]
    assert between["resistance"] == pytest.approx(6.0)
    assert (told_of["memories"], told_of["links"], told_of["kinds"]) == (3, 2, {"about": 2})
    assert told_of["complete"]
    assert person.client.get("/v1/memory/graph", params={"namespace": "notes"}).json()["links"] == 2
    assert person.client.get("/v1/memory/graph").json()["links"] == 0


def test_a_deleted_memory_takes_its_links_along(person: Person) -> None:
    dog, tax = told(person, DOG, TAX)
    linked(person, dog, tax)
    assert person.client.delete(f"/v1/memory/{tax}").status_code == 204
    assert around(person, dog)["links"] == []


def test_links_are_exported(person: Person) -> None:
    dog, tax = told(person, DOG, TAX)
    linked(person, dog, tax, conductance=0.75)
    lines = person.client.get("/v1/memory/export", params={"namespace": "default"}).text.splitlines()
    assert '"line":"link"' in lines[-1]
    assert '"conductance":0.75' in lines[-1]


@pytest.mark.req("AUTH-004")
def test_nobody_touches_the_links_of_another(person: Person, newcomer: Callable[[], Person]) -> None:
    dog, tax = told(person, DOG, TAX)
    linked(person, dog, tax)
    other = newcomer()
    [theirs] = told(other, MOON)
    for source, target in ((dog, tax), (theirs, dog), (dog, theirs)):
        body = {"source_id": source, "target_id": target, "kind": "about"}
        problem(other.client.post(LINK, json=body), 404, "not_found")
        problem(other.client.delete(LINK, params=body), 404, "not_found")
    problem(other.client.get(f"/v1/memory/{dog}/links"), 404, "not_found")
    problem(other.client.get("/v1/memory/graph", params={"ids": [theirs, dog]}), 404, "not_found")
    assert len(around(person, dog)["links"]) == 1


@pytest.mark.req("AUTH-002")
def test_observer_reads_links_and_makes_none(observer: Person) -> None:
    body = {"source_id": str(new_id()), "target_id": str(new_id()), "kind": "about"}
    problem(observer.client.post(LINK, json=body), 403, "denied")
    problem(observer.client.delete(LINK, params=body), 403, "denied")
    assert observer.client.get("/v1/memory/graph").status_code == 200


@pytest.mark.parametrize(
    ("changes", "limit"),
    [
        ({"kind": "No kind"}, "kind"),
        ({"kind": "used_together"}, "kind"),
        ({"conductance": 0}, "conductance"),
        ({"conductance": 11}, "conductance"),
        ({"conductance": "1"}, None),
        ({"source_id": "x"}, None),
        ({"more": 1}, None),
    ],
)
def test_bad_links_are_refused_with_their_limit(
    person: Person, changes: dict[str, Any], limit: str | None
) -> None:
    dog, tax = told(person, DOG, TAX)
    before = person.rows()
    body = {"source_id": dog, "target_id": tax, "kind": "about", **changes}
    refused = problem(person.client.post(LINK, json=body), 422, "invalid_input")
    assert refused.get("limit") == limit
    after = person.rows()
    assert after["memory_link"] == before["memory_link"] == 0


def test_memories_of_two_namespaces_are_not_linked(person: Person) -> None:
    [dog], [tax] = told(person, DOG), told(person, TAX, namespace="notes")
    body = {"source_id": dog, "target_id": tax, "kind": "about"}
    problem(person.client.post(LINK, json=body), 422, "invalid_input")


@pytest.mark.parametrize(
    ("query", "code"),
    [({"k_hop": 4}, "limit_exceeded"), ({"k_hop": -1}, "invalid_input"), ({"limit": 1001}, "limit_exceeded"),
     ({"cursor": "x"}, "invalid_input"), ({"limit": "many"}, "invalid_input")],
)  # fmt: skip
def test_bad_pages_are_refused(person: Person, query: dict[str, Any], code: str) -> None:
    [dog] = told(person, DOG)
    problem(person.client.get(f"/v1/memory/{dog}/links", params=query), 422, code)


def test_hops_past_the_limit_name_it(person: Person) -> None:
    asked = person.client.post("/v1/memory/recall", json={"query": "a", "k_hop": 4})
    refused = problem(asked, 422, "limit_exceeded")
    assert (refused["limit"], refused["maximum"]) == ("k_hop", 3)
