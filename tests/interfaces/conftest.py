"""One server for the run; each test has a tenant and a person of its own."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import httpx
import pytest

from soma.base.ids import new_id

if TYPE_CHECKING:
    # pytest loads this file before Django is set up.
    from soma.identity.api import NewUser
    from tests.interfaces.person import Person
    from tests.interfaces.served import Served


@pytest.fixture(scope="session")
def served() -> "Iterator[Served]":
    """The real application on a free port."""
    from soma.project.configuration import CONFIGURATION
    from tests.interfaces.served import Served

    server = Served(CONFIGURATION)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def anonymous(served: "Served") -> Iterator[httpx.Client]:
    """A client without credentials."""
    with httpx.Client(base_url=served.url, timeout=60) as client:
        yield client


@pytest.fixture
def sign_in(served: "Served") -> "Iterator[Callable[[NewUser], Person]]":
    """Mints a session for a user's key, as a client does."""
    from tests.interfaces.person import Person

    persons: list[Person] = []

    def mint(user: "NewUser") -> "Person":
        client = httpx.Client(base_url=served.url, timeout=60)
        minted = client.post("/v1/session/mint", json={}, headers={"Authorization": f"Bearer {user.token}"})
        client.cookies.clear()
        client.headers["Authorization"] = f"Bearer {minted.json()['jwt']}"
        person = Person(
            tenant_id=user.tenant_id,
            key=user.token,
            jwt=minted.json()["jwt"],
            client=client,
            relay=served.runtime.relay,
        )
        persons.append(person)
        return person

    yield mint
    for person in persons:
        person.leave()


@pytest.fixture
def newcomer(served: "Served", sign_in: "Callable[[NewUser], Person]") -> "Callable[[], Person]":
    """Makes persons, each the owner of a new tenant."""

    def make() -> "Person":
        return sign_in(served.runtime.identity.create_tenant(f"t-{new_id().hex[-12:]}", "A tenant"))

    return make


@pytest.fixture
def person(newcomer: "Callable[[], Person]") -> "Person":
    """Somebody signed in."""
    return newcomer()


@pytest.fixture
def observer(served: "Served", person: "Person", sign_in: "Callable[[NewUser], Person]") -> "Person":
    """Somebody of the same tenant who may only look."""
    identity = served.runtime.identity
    owner = identity.verify(person.jwt)
    return sign_in(identity.create_user(owner, name="Observer", role="observer"))
