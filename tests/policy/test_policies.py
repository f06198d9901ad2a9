"""The delivered policies, as a table: every role and action, and every rule by its name."""

from typing import Any

import pytest

from soma.policy.api import PolicyEngine
from tests.policy.questions import OTHER_TENANT, OTHER_USER, TENANT, USER, request, tool_call

pytestmark = pytest.mark.req("AUTH-002")

ALLOWED: dict[str, set[str]] = {
    "admin:users": {"owner"},
    "admin:anything": {"owner"},
    "agent:rollback": {"owner", "operator"},
    "audit:export": {"owner", "operator"},
    "audit:sign": {"owner", "operator"},
    "audit:verify": {"owner", "operator", "observer"},
    "chat:read": {"owner", "operator", "observer", "guest"},
    "chat:write": {"owner", "operator", "guest"},
    "events:read": {"owner", "operator"},
    "events:write": {"owner", "operator"},
    "learning:read": {"owner", "operator", "observer"},
    "learning:write": {"owner", "operator"},
    "memory:read": {"owner", "operator", "observer"},
    "memory:write": {"owner", "operator"},
    "session:mint": {"owner", "operator", "observer", "guest"},
    "session:refresh": {"owner", "operator", "observer", "guest"},
    "session:revoke": {"owner", "operator", "observer", "guest"},
    "trace:read": {"owner", "operator", "observer"},
    # Nobody may do what the tables do not know.
    "chat:delete": set(),
    "chat": set(),
    "administer": set(),
    "Chat:read": set(),
    "chat:read ": set(),
    "chat:*": set(),
    "*": set(),
    "": set(),
}
ROLES = ["owner", "operator", "observer", "guest", "admin", "OWNER", ""]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("action", ALLOWED)
def test_role_table(engine: PolicyEngine, action: str, role: str) -> None:
    decision = engine.decide(request(action, role))
    assert decision.allow is (role in ALLOWED[action])
    rule = "soma.decision:" if decision.allow else "requests.role_grants:"
    assert [reason.split()[0] for reason in decision.reasons] == [rule]


def test_roles_add_up(engine: PolicyEngine) -> None:
    assert engine.decide(request("memory:write", "guest", "operator")).allow
    assert not engine.decide(request("memory:write", "guest", "observer")).allow
    assert not engine.decide(request("chat:read")).allow


@pytest.mark.req("AUTH-004")
@pytest.mark.parametrize(
    "tenant", [OTHER_TENANT, None, "", True, [], [TENANT], {"id": TENANT}, str(TENANT)[:-1]]
)
@pytest.mark.parametrize("role", ["owner", "guest"])
def test_resource_of_another_tenant(engine: PolicyEngine, role: str, tenant: Any) -> None:
    decision = engine.decide(request("chat:read", role, tenant_id=tenant))
    assert not decision.allow
    assert decision.reasons == ("requests.same_tenant: the resource is not of the caller's tenant.",)


@pytest.mark.parametrize(
    ("owner", "roles"),
    [
        (USER, {"owner", "operator", "observer", "guest"}),
        (OTHER_USER, {"owner", "operator"}),
        (None, {"owner", "operator"}),
        (False, {"owner", "operator"}),
        ([USER], {"owner", "operator"}),
    ],
    ids=["own", "another's", "null", "false", "list"],
)
@pytest.mark.parametrize("role", ["owner", "operator", "observer", "guest"])
def test_ownership(engine: PolicyEngine, role: str, owner: Any, roles: set[str]) -> None:
    decision = engine.decide(request("chat:read", role, owner_id=owner))
    assert decision.allow is (role in roles)
    if not decision.allow:
        assert decision.reasons == ("requests.within_reach: the resource belongs to another user.",)


@pytest.mark.req("TOOL-003")
@pytest.mark.parametrize(
    ("role", "allowed"),
    [("owner", True), ("operator", True), ("guest", True), ("observer", False), ("x", False)],
)
def test_who_may_call_tools(engine: PolicyEngine, role: str, allowed: bool) -> None:
    assert engine.decide(tool_call(role)).allow is allowed


@pytest.mark.req("TOOL-003")
@pytest.mark.parametrize(
    ("rule", "resource", "context"),
    [
        ("tools.listed", {"tool": "shell"}, {}),
        ("tools.listed", {"tool": None}, {}),
        ("tools.listed", {"tool": "Calculator"}, {}),
        ("tools.listed", {"tool": "calc"}, {}),
        ("tools.listed", {}, {"capabilities": []}),
        ("tools.listed", {}, {"capabilities": None}),
        ("tools.listed", {}, {"capabilities": "calculator"}),
        ("tools.listed", {}, {"capabilities": {"calculator": "calculator"}}),
        ("tools.listed", {}, {"capabilities": [["calculator"]]}),
        ("tools.enabled", {"enabled": False}, {}),
        ("tools.enabled", {"enabled": None}, {}),
        ("tools.enabled", {"enabled": "true"}, {}),
        ("tools.enabled", {"enabled": 1}, {}),
        ("tools.iterations_left", {}, {"iteration": 10}),
        ("tools.iterations_left", {}, {"iteration": 11}),
        ("tools.iterations_left", {}, {"iteration": None}),
        ("tools.iterations_left", {}, {"iteration": "0"}),
        ("tools.iterations_left", {}, {"max_iterations": None}),
        ("tools.iterations_left", {}, {"max_iterations": "10"}),
        ("tools.iterations_left", {}, {"max_iterations": [10]}),
        ("tools.iterations_left", {}, {"max_iterations": 0}),
        ("tools.role_accepted", {"roles": ["owner"]}, {}),
        ("tools.role_accepted", {"roles": []}, {}),
        ("tools.role_accepted", {"roles": None}, {}),
        ("tools.role_accepted", {"roles": "operator"}, {}),
        ("tools.role_accepted", {"roles": {"operator": "operator"}}, {}),
        ("requests.same_tenant", {"tenant_id": OTHER_TENANT}, {}),
    ],
    ids=str,
)
def test_tool_calls_that_are_denied(
    engine: PolicyEngine, rule: str, resource: dict[str, Any], context: dict[str, Any]
) -> None:
    decision = engine.decide(tool_call("operator", resource=resource, context=context))
    assert not decision.allow
    assert [reason.partition(":")[0] for reason in decision.reasons] == [rule]


@pytest.mark.req("TOOL-003")
@pytest.mark.parametrize(
    ("resource", "context"),
    [({}, {"iteration": 9}), ({"roles": ["operator"]}, {}), ({"tool": "clock"}, {}), ({"more": [1]}, {})],
    ids=str,
)
def test_tool_calls_that_are_allowed(
    engine: PolicyEngine, resource: dict[str, Any], context: dict[str, Any]
) -> None:
    assert engine.decide(tool_call("operator", resource=resource, context=context)).allow


@pytest.mark.req("TOOL-003")
def test_every_rule_that_fails_is_named(engine: PolicyEngine) -> None:
    decision = engine.decide(
        tool_call(
            "observer",
            resource={
                "tenant_id": OTHER_TENANT,
                "owner_id": OTHER_USER,
                "tool": "x",
                "enabled": False,
                "roles": [],
            },
            context={"iteration": 10},
        )
    )
    assert {reason.partition(":")[0] for reason in decision.reasons} == {
        "requests.role_grants",
        "requests.same_tenant",
        "requests.within_reach",
        "tools.listed",
        "tools.enabled",
        "tools.iterations_left",
        "tools.role_accepted",
    }


@pytest.mark.parametrize("mark", ['"', "\\", "\0", "\n", "\\u0061", "é", "\U0001f600", "\u2028", "\x7f"])
def test_text_that_only_looks_alike_is_not_equal(engine: PolicyEngine, mark: str) -> None:
    assert not engine.decide(request(f"chat:read{mark}", "owner")).allow
    assert not engine.decide(request("chat:read", f"owner{mark}")).allow
    listed = tool_call(
        "owner", resource={"tool": "a" + mark}, context={"capabilities": ["a", mark, mark + "a"]}
    )
    assert not engine.decide(listed).allow
    same = tool_call("owner", resource={"tool": "a" + mark}, context={"capabilities": ["a" + mark]})
    assert engine.decide(same).allow


def test_escapes_are_not_read_as_what_they_stand_for(engine: PolicyEngine) -> None:
    assert not engine.decide(request("chat:re\\u0061d", "owner")).allow
    assert not engine.decide(request("chat:read", "own\\u0065r")).allow
