"""Relations as the tiers above use them: roles, grants by hand, denials as errors."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from soma.base.database import tenant_transaction
from soma.base.errors import Denied, InvalidInput
from soma.base.ids import new_id
from soma.base.tenancy import Principal
from soma.events.models import EventLogEntry, OutboxMessage
from soma.policy.adapters import relation_rows
from soma.policy.adapters.relation_store_postgres import PostgresRelationStore
from soma.policy.api import (
    ObjectRef,
    PermissionCheck,
    PermissionDecision,
    PermissionDenied,
    Relations,
    Relationship,
    RelationshipFilter,
    SubjectRef,
)

pytestmark = pytest.mark.req("AUTH-001")


class Watch:
    """Remembers decisions: a RelationObserver."""

    def __init__(self) -> None:
        self.decisions: list[PermissionDecision] = []

    def decided(self, decision: PermissionDecision) -> None:
        self.decisions.append(decision)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def relations(watch: Watch) -> Relations:
    return Relations(PostgresRelationStore(), watch)


def member(relations: Relations, tenant: UUID, role: str) -> Principal:
    """A user of the tenant, as identity makes them."""
    user = new_id()
    with tenant_transaction(tenant):
        relations.give_role(tenant, user, role)
    return Principal(tenant_id=tenant, user_id=user, session_id=new_id(), roles=(role,), trace_id="0" * 32)


def on(text: str, relation: str, principal: Principal) -> Relationship:
    return Relationship(
        resource=ObjectRef.parse(text), relation=relation, subject=SubjectRef.of("user", principal.user_id)
    )


def may(relations: Relations, principal: Principal, permission: str, text: str) -> bool:
    check = PermissionCheck(
        resource=ObjectRef.parse(text),
        permission=permission,
        subject=SubjectRef.of("user", principal.user_id),
    )
    return relations.decide(principal, check).allow


@pytest.fixture
def owner(relations: Relations, tenant: UUID) -> Principal:
    return member(relations, tenant, "owner")


@pytest.fixture
def guest(relations: Relations, tenant: UUID) -> Principal:
    return member(relations, tenant, "guest")


@pytest.fixture
def conversation(relations: Relations, tenant: UUID, guest: Principal) -> str:
    """A conversation of the guest's."""
    text = f"conversation:{new_id()}"
    belonging = Relationship(
        resource=ObjectRef.parse(text), relation="tenant", subject=SubjectRef.of("tenant", tenant)
    )
    with tenant_transaction(tenant):
        relations.write(tenant, touch=[belonging, on(text, "owner", guest)])
    return text


def changes(tenant: UUID) -> list[dict[str, object]]:
    """What was told of changes by hand."""
    with tenant_transaction(tenant):
        waiting = [*OutboxMessage.objects.filter(type="policy.relation_changed")]
        logged = [*EventLogEntry.objects.filter(type="policy.relation_changed")]
    found = {each.event_id: each for each in (*waiting, *logged)}
    assert {each.topic for each in found.values()} <= {"agent.audit"}
    return [_payload(found[key].payload) for key in sorted(found)]


def _payload(value: object) -> dict[str, object]:
    from soma.base.canonical import json_value

    loaded: dict[str, object] = json_value(value) if isinstance(value, str) else value  # type: ignore[assignment]
    return loaded


@pytest.mark.parametrize("role", ["owner", "operator", "observer", "guest"])
def test_a_role_replaces_the_one_before(relations: Relations, tenant: UUID, role: str) -> None:
    user = member(relations, tenant, "operator")
    with tenant_transaction(tenant):
        relations.give_role(tenant, user.user_id, role)
    found = relations.read(user, RelationshipFilter(subject_id=str(user.user_id)))
    assert [(each.resource.type, each.relation) for each in found] == [("tenant", role)]


def test_there_are_four_roles(relations: Relations, tenant: UUID) -> None:
    with tenant_transaction(tenant), pytest.raises(InvalidInput, match="no relation root"):
        relations.give_role(tenant, new_id(), "root")


def test_who_owns_a_conversation_shares_it(
    relations: Relations, tenant: UUID, guest: Principal, conversation: str
) -> None:
    other = member(relations, tenant, "observer")
    assert not may(relations, other, "read", conversation)
    relations.grant(guest, on(conversation, "participant", other))
    assert may(relations, other, "read", conversation)
    relations.revoke(guest, on(conversation, "participant", other))
    assert not may(relations, other, "read", conversation)


def test_the_change_is_told(
    relations: Relations, tenant: UUID, owner: Principal, guest: Principal, conversation: str
) -> None:
    relations.grant(owner, on(conversation, "participant", owner))
    relations.revoke(owner, on(conversation, "owner", guest))
    told = changes(tenant)
    assert [(each["change"], each["relation"], each["subject"]) for each in told] == [
        ("granted", "participant", f"user:{owner.user_id}"),
        ("revoked", "owner", f"user:{guest.user_id}"),
    ]
    assert {each["resource"] for each in told} == {conversation}
    assert {each["user_id"] for each in told} == {str(owner.user_id)}
    assert {each["engine"] for each in told} == {"postgres"}


def test_nobody_else_shares_it(relations: Relations, tenant: UUID, conversation: str) -> None:
    for role in ("operator", "observer", "guest"):
        other = member(relations, tenant, role)
        with pytest.raises(PermissionDenied) as denied:
            relations.grant(other, on(conversation, "participant", other))
        assert denied.value.extra["permission"] == "conversation:share"
    assert changes(tenant) == []


def test_roles_are_not_given_by_hand(relations: Relations, tenant: UUID, owner: Principal) -> None:
    for wanted in (on(f"tenant:{tenant}", "owner", owner), on(f"tenant:{tenant}", "guest", owner)):
        with pytest.raises(Denied, match="not given by hand"):
            relations.grant(owner, wanted)
        with pytest.raises(Denied, match="not given by hand"):
            relations.revoke(owner, wanted)


def test_nothing_is_taken_from_its_tenant(
    relations: Relations, tenant: UUID, owner: Principal, conversation: str
) -> None:
    belonging = Relationship(
        resource=ObjectRef.parse(conversation), relation="tenant", subject=SubjectRef.of("tenant", tenant)
    )
    with pytest.raises(Denied, match="not given by hand"):
        relations.revoke(owner, belonging)
    assert may(relations, owner, "read", conversation)


def test_only_users_of_the_tenant_are_related(
    relations: Relations, owner: Principal, conversation: str
) -> None:
    elsewhere = member(relations, new_id(), "owner")
    with pytest.raises(InvalidInput, match="no user of this tenant"):
        relations.grant(owner, on(conversation, "participant", elsewhere))


def test_a_thing_of_another_tenant_is_nothing(relations: Relations, conversation: str) -> None:
    elsewhere = member(relations, new_id(), "owner")
    with pytest.raises(PermissionDenied):
        relations.grant(elsewhere, on(conversation, "participant", elsewhere))
    assert relations.read(elsewhere, RelationshipFilter(resource_type="conversation")) == ()
    assert not may(relations, elsewhere, "read", conversation)


def test_a_denial_is_an_error_with_its_reason(
    relations: Relations, tenant: UUID, guest: Principal, owner: Principal, conversation: str
) -> None:
    check = PermissionCheck(
        resource=ObjectRef.parse(conversation),
        permission="write",
        subject=SubjectRef.of("user", owner.user_id),
    )
    with tenant_transaction(tenant), pytest.raises(PermissionDenied) as denied:
        relations.require(tenant, check)
    assert denied.value.decision.check == check
    assert denied.value.reasons == (denied.value.decision.reason,)
    assert denied.value.extra["engine"] == "postgres"
    assert denied.value.code == "denied"


def test_every_decision_is_observed(relations: Relations, watch: Watch, owner: Principal) -> None:
    before = len(watch.decisions)
    tenant = f"tenant:{owner.tenant_id}"
    assert may(relations, owner, "administer", tenant)
    assert not may(relations, owner, "nonsense", tenant)
    assert [(each.allow, each.failed) for each in watch.decisions[before:]] == [(True, False), (False, True)]


@pytest.mark.parametrize(
    ("permission", "whose", "statements"),
    [
        ("read", "guest", 1),
        ("read", "owner", 1),
        ("write", "guest", 2),
        ("write", "owner", 1),
        ("cancel", "guest", 1),
    ],
)
def test_a_check_costs_one_or_two_statements(
    relations: Relations,
    tenant: UUID,
    guest: Principal,
    owner: Principal,
    conversation: str,
    permission: str,
    whose: str,
    statements: int,
) -> None:
    principal = {"guest": guest, "owner": owner}[whose]
    agent = Relationship.parse(f"{conversation}#agent@agent:soma")
    invoker = Relationship.parse(f"agent:soma#invoker@tenant:{tenant}#converse")
    check = PermissionCheck(
        resource=ObjectRef.parse(conversation),
        permission=permission,
        subject=SubjectRef.of("user", principal.user_id),
    )
    with tenant_transaction(tenant):
        relations.write(tenant, touch=[agent, invoker])
        with CaptureQueriesContext(connections["default"]) as asked:
            relations.check(tenant, check)
    assert len(asked) == statements


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        (relation_rows.FIND, 1),  # is u17 one of them?
        (relation_rows.FOLLOW.format(">"), 1),  # which sets take part?
    ],
)
def test_a_check_does_not_read_through_a_large_relation(
    relations: Relations, tenant: UUID, statement: str, rows: int
) -> None:
    text = f"conversation:{new_id()}"
    others = [Relationship.parse(f"{text}#participant@user:u{number}") for number in range(3000)]
    everybody = Relationship.parse(f"{text}#participant@tenant:{tenant}#belong")
    wanted: list[Any] = [["conversation"], [text.partition(":")[2]], ["participant"], ["user"], ["u17"], [""]]
    with tenant_transaction(tenant):
        relations.write(tenant, touch=[*others, everybody])
    with connections["owner"].cursor() as cursor:
        cursor.execute("ANALYZE relation")
    with tenant_transaction(tenant), connections["default"].cursor() as cursor:
        values: list[Any] = [*wanted[: statement.count("::text[]")], tenant]
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values)
        plan = cursor.fetchone()[0][0]["Plan"]
    assert plan["Actual Rows"] == rows
    nodes = list(_nodes(plan))
    assert [node["Node Type"] for node in nodes if node.get("Relation Name") == "relation"] in (
        ["Index Scan"],
        ["Index Only Scan"],
        ["Bitmap Heap Scan"],
    )
    assert sum(node.get("Rows Removed by Filter", 0) for node in nodes) == 0


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)
