"""A denial by relations at the edge: 403 with problem details, recorded, counted."""

from collections.abc import Callable

import pytest

from soma.base.database import tenant_transaction
from soma.base.tenancy import Principal
from soma.identity.api import NewUser
from soma.policy.api import ObjectRef, Relationship, SubjectRef
from tests.interfaces.person import CONVERSATIONS, TURNS, Person, problem
from tests.interfaces.served import Served

pytestmark = pytest.mark.req("AUTH-001")

SignIn = Callable[[NewUser], Person]


@pytest.fixture
def owner(served: Served, person: Person) -> Principal:
    return served.runtime.identity.verify(person.jwt)


@pytest.fixture
def guest(served: Served, owner: Principal, sign_in: SignIn) -> Person:
    """Another user of the tenant, who may converse."""
    return sign_in(served.runtime.identity.create_user(owner, name="Gus", role="guest"))


def user_of(served: Served, person: Person) -> SubjectRef:
    return SubjectRef.of("user", served.runtime.identity.verify(person.jwt).user_id)


def part_of(served: Served, conversation: str, relation: str, person: Person) -> Relationship:
    return Relationship(
        resource=ObjectRef(type="conversation", id=conversation),
        relation=relation,
        subject=user_of(served, person),
    )


def test_another_users_conversation_is_403(served: Served, person: Person, guest: Person) -> None:
    turn = person.ask("hello")
    conversation = person.client.get(f"{TURNS}/{turn}").json()["conversation_id"]
    message = {"message": "hello"}
    stream = {"Accept": "text/event-stream"}
    for permission, answer in (
        ("read", guest.client.get(f"{CONVERSATIONS}/{conversation}")),
        ("write", guest.client.post(f"{CONVERSATIONS}/{conversation}/messages", json=message)),
        (
            "write",
            guest.client.post(f"{CONVERSATIONS}/{conversation}/messages", json=message, headers=stream),
        ),
        ("read", guest.client.get(f"{TURNS}/{turn}")),
        ("read", guest.client.get(f"{TURNS}/{turn}/events")),
        ("cancel", guest.client.post(f"{TURNS}/{turn}/cancel")),
    ):
        document = problem(answer, 403, "denied")
        assert document["permission"] == f"conversation:{permission}"
        assert document["engine"] == served.runtime.relations.engine
        assert document["reasons"][0].startswith(f"relations.conversation:{permission}: ")
    assert guest.client.get(CONVERSATIONS).json() == {"items": []}


def test_the_denial_is_recorded(served: Served, person: Person, guest: Person) -> None:
    conversation = person.conversation()
    document = problem(guest.client.get(f"{CONVERSATIONS}/{conversation}"), 403, "denied")
    assert served.runtime.relay.drain(10)
    told = [
        event
        for event in served.runtime.log.read(person.tenant_id)
        if event.type == "gateway.request_decided" and "relation" in event.payload
    ]
    assert [(event.payload["action"], event.payload["allow"]) for event in told] == [
        ("conversation:read", False)
    ]
    assert told[0].payload["reasons"] == document["reasons"]
    assert told[0].trace_id == document["trace_id"]


def test_who_is_invited_takes_part(served: Served, person: Person, owner: Principal, guest: Person) -> None:
    conversation = person.conversation()
    served.runtime.relations.grant(owner, part_of(served, conversation, "participant", guest))
    assert guest.client.get(f"{CONVERSATIONS}/{conversation}").status_code == 200
    sent = guest.client.post(f"{CONVERSATIONS}/{conversation}/messages", json={"message": "hello"})
    assert sent.status_code == 202, sent.text
    guest.turns.append(sent.json()["turn_id"])
    with guest.client.stream("GET", f"{TURNS}/{sent.json()['turn_id']}/events") as events:
        assert events.status_code == 200


def test_an_owner_whose_conversation_was_taken_from_them(
    served: Served, person: Person, owner: Principal
) -> None:
    conversation = person.conversation()
    served.runtime.relations.revoke(owner, part_of(served, conversation, "owner", person))
    address = f"{CONVERSATIONS}/{conversation}/messages"
    problem(person.client.post(address, json={"message": "hello"}), 403, "denied")
    # As the tenant's owner they still read it.
    assert person.client.get(f"{CONVERSATIONS}/{conversation}").status_code == 200


def test_new_users_have_their_role_in_relations(served: Served, person: Person, guest: Person) -> None:
    from soma.policy.api import RelationshipFilter

    owner = served.runtime.identity.verify(person.jwt)
    found = served.runtime.relations.read(owner, RelationshipFilter(resource_type="tenant"))
    assert {(each.relation, str(each.subject)) for each in found} == {
        ("owner", str(user_of(served, person))),
        ("guest", str(user_of(served, guest))),
    }


def test_decisions_are_counted_and_timed(served: Served, person: Person, guest: Person) -> None:
    def counted(decision: str) -> float:
        engine = served.runtime.relations.engine
        name = f'soma_relation_decisions_total{{decision="{decision}",engine="{engine}"}} '
        lines = person.client.get("/metrics").text.splitlines()
        return next((float(line.removeprefix(name)) for line in lines if line.startswith(name)), 0.0)

    conversation = person.conversation()
    allowed, denied = counted("allow"), counted("deny")
    person.client.get(f"{CONVERSATIONS}/{conversation}")
    guest.client.get(f"{CONVERSATIONS}/{conversation}")
    assert counted("allow") > allowed
    assert counted("deny") > denied
    assert "soma_relation_check_seconds_bucket" in person.client.get("/metrics").text


def test_readiness_tells_who_answers(served: Served, person: Person) -> None:
    check = person.client.get("/readyz").json()["checks"]["relations"]
    assert check["ok"] is True
    assert check["detail"] == served.runtime.relations.engine


def test_what_is_rolled_back_leaves_no_relation(served: Served, owner: Principal) -> None:
    from soma.base.errors import Conflict
    from soma.policy.models import RelationRow

    served.runtime.identity.create_user(owner, name="Once", role="guest")
    with tenant_transaction(owner.tenant_id):
        before = RelationRow.objects.count()
    with pytest.raises(Conflict):
        served.runtime.identity.create_user(owner, name="Once", role="guest")
    with tenant_transaction(owner.tenant_id):
        assert RelationRow.objects.count() == before
