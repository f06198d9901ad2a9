"""The policy lets through what relations have proved, and only for actions that stand on that permission."""

from typing import Any

import pytest

from soma.policy.api import PolicyEngine
from tests.policy.questions import OTHER_TENANT, OTHER_USER, request

pytestmark = pytest.mark.req("AUTH-001")

PERMITS = {"chat:read": {"read"}, "chat:write": {"write", "cancel"}, "trace:read": {"read"}}
PERMISSIONS = [
    "read",
    "write",
    "cancel",
    "share",
    "owner",
    "",
    "READ",
    None,
    True,
    1,
    ["read"],
    {"read": True},
]


@pytest.mark.parametrize("permission", PERMISSIONS, ids=repr)
@pytest.mark.parametrize("action", [*PERMITS, "memory:read", "learning:read"])
def test_a_permission_reaches_what_another_owns(engine: PolicyEngine, action: str, permission: Any) -> None:
    proved = isinstance(permission, str) and permission in PERMITS.get(action, ())
    for role, granted in (("guest", {"chat:read", "chat:write"}), ("observer", {"chat:read", "trace:read"})):
        asked = request(action, role, owner_id=OTHER_USER, permission=permission)
        assert engine.decide(asked).allow is (proved and action in granted)


def test_a_permission_gives_no_role_and_no_other_tenant(engine: PolicyEngine) -> None:
    assert not engine.decide(request("chat:write", "observer", owner_id=OTHER_USER, permission="write")).allow
    asked = request("chat:read", "guest", owner_id=OTHER_USER, permission="read", tenant_id=OTHER_TENANT)
    assert not engine.decide(asked).allow


@pytest.mark.parametrize("action", ["relation:read", "relation:write"])
def test_owners_and_operators_administer_relations(engine: PolicyEngine, action: str) -> None:
    allowed = [
        role
        for role in ("owner", "operator", "observer", "guest")
        if engine.decide(request(action, role)).allow
    ]
    assert allowed == ["owner", "operator"]
