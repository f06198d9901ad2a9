"""Whatever is asked, only what the tables say is allowed. The model below is the tables in Python."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soma.base.tenancy import Principal
from soma.policy.adapters.policy_engine_rego import RegoPolicyEngine
from soma.policy.api import PolicyInput
from tests.policy.questions import OTHER_TENANT, OTHER_USER, TENANT, USER
from tests.policy.test_policies import ALLOWED

pytestmark = pytest.mark.req("AUTH-002", "TOOL-003")

ENGINE = RegoPolicyEngine()
TOOL_ROLES = {"owner", "operator", "guest"}

IDS = st.sampled_from([str(TENANT), str(OTHER_TENANT), str(USER), str(OTHER_USER)])
NAMES = st.sampled_from(["owner", "operator", "observer", "guest", "calculator", "shell", *ALLOWED])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | IDS | NAMES
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | NAMES, inner, max_size=4)
    ),
    max_leaves=8,
)
ROLE_NAMES = st.sampled_from(["owner", "operator", "observer", "guest"])
RESOURCE = {"tenant_id": str(TENANT), "owner_id": str(USER), "tool": "calculator", "enabled": True}
CONTEXT = {"capabilities": ["calculator", "clock"], "iteration": 0, "max_iterations": 10}


def usually(usual: st.SearchStrategy[Any], *others: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Half of the time the usual value, so that denials come one at a time and some things are allowed."""
    return st.booleans().flatmap(lambda as_usual: usual if as_usual else st.one_of(*others))


@st.composite
def spoilt(draw: st.DrawFn, good: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """`good` with up to two entries replaced by anything, or gone."""
    document = dict(good)
    for name in draw(st.lists(st.sampled_from(names), max_size=2)):
        if draw(st.booleans()):
            document[name] = draw(
                VALUES | st.just([]) | st.lists(ROLE_NAMES, max_size=2) | st.integers(-1, 11)
            )
        else:
            document.pop(name, None)
    return document


ACTIONS = usually(st.just("tool:execute"), st.sampled_from(list(ALLOWED)), st.text(max_size=12))
ROLES = st.lists(usually(ROLE_NAMES, st.text(max_size=8)), max_size=3)
RESOURCES = spoilt(RESOURCE, [*RESOURCE, "roles"])
CONTEXTS = spoilt(CONTEXT, [*CONTEXT])


def reachable(roles: tuple[str, ...], resource: dict[str, Any]) -> bool:
    """Tenant and ownership."""
    own = "owner_id" not in resource or resource["owner_id"] == str(USER)
    beyond = bool({"owner", "operator"} & set(roles))
    return resource.get("tenant_id") == str(TENANT) and (own or beyond)


def granted(action: str, roles: tuple[str, ...]) -> bool:
    """The role tables."""
    if action == "tool:execute":
        return bool(TOOL_ROLES & set(roles))
    if action.startswith("admin:"):
        return "owner" in roles
    return bool(ALLOWED.get(action, set()) & set(roles))


def callable_tool(roles: tuple[str, ...], resource: dict[str, Any], context: dict[str, Any]) -> bool:
    """The tool's own conditions."""
    capabilities, accepted = context.get("capabilities"), resource.get("roles", list(roles))
    return (
        isinstance(capabilities, list)
        and any(_equal(resource.get("tool", object()), listed) for listed in capabilities)
        and resource.get("enabled") is True
        and _number(context.get("iteration"))
        and _number(context.get("max_iterations"))
        and context["iteration"] < context["max_iterations"]
        and isinstance(accepted, list)
        and any(role in accepted for role in roles)
    )


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _equal(one: object, other: object) -> bool:
    """Equality of JSON values, where true is not 1."""
    return isinstance(one, bool) == isinstance(other, bool) and one == other


@settings(max_examples=600, deadline=None)
@given(action=ACTIONS, roles=ROLES, resource=RESOURCES, context=CONTEXTS)
def test_nothing_is_allowed_that_the_tables_do_not_say(
    action: str, roles: list[str], resource: dict[str, Any], context: dict[str, Any]
) -> None:
    principal = Principal(tenant_id=TENANT, user_id=USER, session_id=UUID(int=3), roles=tuple(roles))
    decision = ENGINE.decide(
        PolicyInput(action=action, principal=principal, resource=resource, context=context)
    )
    expected = granted(action, principal.roles) and reachable(principal.roles, resource)
    if action == "tool:execute":
        expected = expected and callable_tool(principal.roles, resource, context)
    assert not decision.allow or expected, decision
    assert decision.reasons
    if expected and not decision.allow:
        # What the engine cannot be asked about is denied by the engine, never by a rule.
        assert decision.reasons[0].startswith("engine.policy_input_invalid")


@settings(max_examples=200, deadline=None)
@given(whole=VALUES)
def test_nothing_at_all_is_allowed_to_nobody(whole: Any) -> None:
    principal = Principal(tenant_id=TENANT, user_id=USER, session_id=UUID(int=3), roles=())
    for resource, context in ((whole, {}), ({"tenant_id": TENANT}, whole)):
        asked = PolicyInput(action="chat:read", principal=principal, resource=resource, context=context)
        assert not ENGINE.decide(asked).allow
