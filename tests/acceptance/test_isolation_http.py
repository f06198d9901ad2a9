"""The same attempts from outside, with minted sessions, over a real connection."""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest

from soma.base.ids import new_id
from soma.identity.api import NewUser
from soma.project.configuration import CONFIGURATION
from tests.acceptance.isolation_world import NAMES, Place, settled
from tests.interfaces.served import Served

pytestmark = [pytest.mark.req("AUTH-004"), pytest.mark.req("MEM-006"), pytest.mark.timeout(900)]
PROBES = 250
SEED = 7


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Somebody with a session, and what is theirs."""

    client: httpx.Client
    places: list[Place]


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """The real application on a free port."""
    server = Served(CONFIGURATION)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def callers(served: Served) -> Iterator[list[Caller]]:
    """Two users in each of two tenants."""
    made = [caller for letter in "ab" for caller in _tenant(served, letter)]
    yield made
    for caller in made:
        caller.client.close()


def _tenant(served: Served, letter: str) -> Iterator[Caller]:
    identity = served.runtime.identity
    owner = identity.create_tenant(f"t-{new_id().hex[-12:]}", "A tenant")
    first = _signed_in(served, owner)
    principal = identity.verify(first.headers["Authorization"].removeprefix("Bearer "))
    second = _signed_in(served, identity.create_user(principal, name="Second", role="operator"))
    for who, client in zip("mn", (first, second), strict=True):
        user = identity.verify(client.headers["Authorization"].removeprefix("Bearer "))
        yield Caller(
            client=client,
            places=[
                settled(served.runtime.brain, user.tenant_id, user.user_id, name, f"{letter}{who}{name[0]}")
                for name in NAMES
            ],
        )


def _signed_in(served: Served, user: NewUser) -> httpx.Client:
    client = httpx.Client(base_url=served.url, timeout=60)
    minted = client.post("/v1/session/mint", json={}, headers={"Authorization": f"Bearer {user.token}"})
    client.cookies.clear()
    client.headers["Authorization"] = f"Bearer {minted.json()['jwt']}"
    return client


class Attempts:
    """Attempts of one caller at what is another's."""

    def __init__(self, rng: random.Random, me: Caller, other: Caller) -> None:
        self._rng = rng
        self._client = me.client
        self._mine, self._theirs = rng.choice(me.places), rng.choice(other.places)
        self._own, self._foreign = rng.choice(self._mine.told), rng.choice(self._theirs.told)

    def recall(self) -> None:
        """What the other told, asked for by its words."""
        self._recalled(self._foreign.content)
        assert str(self._own.record_id) in self._recalled(self._own.content)

    def recall_by_provenance(self) -> None:
        """Filters that name what only the other's memories have."""
        their_mark = {"provenance": {"mark": self._theirs.mark}}
        for filters in (
            their_mark,
            {"conversation_id": f"c-{self._theirs.mark}"},
            {"session": self._foreign.session},
        ):
            assert self._recalled(self._foreign.content, filters=filters) == []
        own = {"session": [self._own.session, self._foreign.session]}
        assert str(self._own.record_id) in self._recalled(self._own.content, filters=own)

    def recall_in_a_namespace_of_theirs(self) -> None:
        """By its inner name, and by names that only look alike."""
        for name in (self._theirs.namespace, f"{self._mine.name} ", "HOME", "w\u043erk", "%", "' OR 1=1 --"):
            body = {"query": self._foreign.content, "namespace": name}
            answer = self._client.post("/v1/memory/recall", json=body)
            # The id of a user is a name like others: one's own namespace of that name is empty.
            assert answer.status_code == 422 or answer.json()["evidence"] == []
        assert str(self._own.record_id) in self._recalled(self._own.content)

    def read_and_delete(self) -> None:
        """By its id."""
        place = f"/v1/memory/{self._foreign.record_id}"
        assert self._client.get(place).status_code == 404
        assert self._client.delete(place).status_code == 404
        assert self._client.get(f"/v1/memory/{new_id()}").status_code == 404
        own = self._client.get(f"/v1/memory/{self._own.record_id}").json()
        assert (own["content"], own["provenance"]["mark"]) == (self._own.content, self._mine.mark)

    def export(self) -> None:
        """A namespace that the other has too."""
        answer = self._client.get("/v1/memory/export", params={"namespace": self._mine.name})
        _, *records = map(json.loads, answer.text.splitlines())
        assert sorted(each["content"] for each in records) == sorted(f.content for f in self._mine.told)
        assert {each["provenance"]["mark"] for each in records} == {self._mine.mark}

    def list_namespaces(self) -> None:
        """Their number must not tell of others."""
        items = self._client.get("/v1/memory/namespaces").json()["items"]
        assert {each["name"]: each["memories"] for each in items} == dict.fromkeys(NAMES, 10)

    def forget_an_empty_namespace(self) -> None:
        """One that is empty for oneself."""
        answer = self._client.delete("/v1/memory", params={"namespace": "attic"})
        assert answer.json() == {"forgotten": 0}
        assert str(self._own.record_id) in self._recalled(self._own.content)

    def _recalled(self, query: str, **more: object) -> list[str]:
        body = {"query": query, "namespace": self._mine.name, "top_k": 20, "explain": True, **more}
        answer = self._client.post("/v1/memory/recall", json=body)
        assert answer.status_code == 200, answer.text
        evidence = answer.json()["evidence"]
        assert {each["provenance"]["mark"] for each in evidence} <= {self._mine.mark}
        assert {each["tenant_id"] for each in evidence} <= {str(self._mine.tenant_id)}
        return [each["record_id"] for each in evidence]


def test_hundreds_of_requests_find_nothing_of_anybody_else(callers: list[Caller]) -> None:
    rng = random.Random(SEED)
    kinds: list[Callable[[Attempts], None]] = [
        Attempts.recall,
        Attempts.recall_by_provenance,
        Attempts.recall_in_a_namespace_of_theirs,
        Attempts.read_and_delete,
        Attempts.export,
        Attempts.list_namespaces,
        Attempts.forget_an_empty_namespace,
    ]
    for _ in range(PROBES):
        me, other = rng.sample(callers, 2)
        rng.choice(kinds)(Attempts(rng, me, other))
    for caller in callers:
        for place in caller.places:
            lines = caller.client.get("/v1/memory/export", params={"namespace": place.name}).text
            assert lines.count("\n") == len(place.facts) + 1
    print(f"\n{PROBES} probes over HTTP, no leak")
