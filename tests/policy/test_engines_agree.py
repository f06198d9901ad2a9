"""Rego in process and OPA give the same decisions, for the same reasons, from the same files.

Where they do not, it is stated here: a policy of ours must not depend on it, and a version of either engine
that changes it should be noticed.
"""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings

from soma.base.tenancy import Principal
from soma.policy.adapters.policy_engine_opa import OpaPolicyEngine
from soma.policy.adapters.policy_engine_rego import RegoPolicyEngine
from soma.policy.api import PolicyInput
from tests.policy.contract_policy_engine import HEAD
from tests.policy.desks import OpaDesk, RegoDesk
from tests.policy.questions import TENANT, USER, request
from tests.policy.test_fail_closed import ACTIONS, CONTEXTS, RESOURCES, ROLES, VALUES

pytestmark = pytest.mark.req("AUTH-002")

SHARED = [HealthCheck.function_scoped_fixture]
"""The engines keep nothing of a decision."""


def asked(action: str, roles: list[str], resource: Any, context: Any) -> PolicyInput:
    principal = Principal(tenant_id=TENANT, user_id=USER, session_id=UUID(int=3), roles=tuple(roles))
    return PolicyInput(action=action, principal=principal, resource=resource, context=context)


def agree(rego: RegoPolicyEngine, opa: OpaPolicyEngine, question: PolicyInput) -> None:
    here, there = rego.decide(question), opa.decide(question)
    assert (here.allow, here.reasons) == (there.allow, there.reasons)
    assert here.policy_hash == there.policy_hash or not there.policy_hash


@settings(max_examples=400, deadline=None, suppress_health_check=SHARED)
@given(action=ACTIONS, roles=ROLES, resource=RESOURCES, context=CONTEXTS)
def test_on_requests_and_tool_calls(
    rego: RegoPolicyEngine,
    opa: OpaPolicyEngine,
    action: str,
    roles: list[str],
    resource: dict[str, Any],
    context: dict[str, Any],
) -> None:
    agree(rego, opa, asked(action, roles, resource, context))


@settings(max_examples=200, deadline=None, suppress_health_check=SHARED)
@given(action=ACTIONS, roles=ROLES, resource=VALUES, context=VALUES)
def test_on_anything(
    rego: RegoPolicyEngine, opa: OpaPolicyEngine, action: str, roles: list[str], resource: Any, context: Any
) -> None:
    agree(rego, opa, asked(action, roles, resource, context))


def holds(condition: str) -> str:
    return (
        f"{HEAD}default holds := false\nholds if {{ v := input.resource.v; {condition} }}\n"
        'decision := {"allow": holds, "reasons": []}'
    )


@pytest.mark.parametrize(
    ("condition", "values"),
    [
        ("v[0] == v[1]", [[1, 1.0], [0, -0.0], [1, True], ["é", "e\u0301"], [[1], [1.0]]]),
        ("v[0] == v[1]", [[{"a": 1}, {"a": 1.0}], [{"a": 1, "b": 2}, {"b": 2, "a": 1}], [[], {}]]),
        ("v[0] < v[1]", [[1, 2], [0.1, 0.100001], ["a", "b"], ["é", "z"], ["\U0001f600", "\uffff"]]),
        ("v[0] - v[1] >= 1", [[10, 9], [10, 10], ["a", 1], [None, 1], [True, True], [2**53 - 1, 1]]),
        ("v[0] in v[1]", [[1, [1]], [1, [1.0]], ["a", {"x": "a"}], ["a", "abc"], ["a", None]]),
        ("count(v) == 2", ["ab", "é\U0001f600", [1, 2], {"a": 1, "b": 2}, 2, None]),
        ("startswith(v, \"a\")", ["abc", "a", "", "A", None, ["a"]]),
        ("regex.match(`^[a-z]+$`, v)", ["abc", "ab\n", "é", "", 5]),
        ("1 / v == 0.5", [2, 0, 0.0, "a"]),
        ("lower(v) == \"abc\"", ["ABC", "abc", 5]),
    ],
)  # fmt: skip
def test_on_what_policies_are_made_of(
    rego_desk: RegoDesk, opa_desk: OpaDesk, condition: str, values: list[Any]
) -> None:
    files = {"a.rego": holds(condition)}
    rego, opa = rego_desk.engine(files), opa_desk.engine(files)
    for value in values:
        agree(rego, opa, request("chat:read", "owner", v=value))


@pytest.mark.parametrize(
    ("condition", "value", "in_process"),
    [
        # Values of two types are ordered by OPA (null, booleans, numbers, text, …) and by rego-cpp otherwise.
        ("v[0] < v[1]", [None, 1], False),
        ("v[0] < v[1]", [True, 1], False),
        # OPA calculates with 64 bits of mantissa, rego-cpp with 53.
        ("v[0] - v[1] >= 1", [1.4, 0.4], False),
        ("v[0] - v[1] >= 1", [1.3, 0.3], True),
        # rego-cpp reads numbers as C does, knows no letter beyond ASCII, no such time, and writes no array.
        ("to_number(v) == 1", "0x1", True),
        ('lower(v) == "é"', "É", False),
        ("time.parse_rfc3339_ns(v) > 0", "2026-01-01T00:00:00Z", False),
        ('json.marshal(v) == "[1]"', [1], False),
    ],
    ids=str,
)
def test_where_they_differ(
    rego_desk: RegoDesk, opa_desk: OpaDesk, condition: str, value: Any, in_process: bool
) -> None:
    files, question = {"a.rego": holds(condition)}, request("chat:read", "owner", v=value)
    assert rego_desk.engine(files).decide(question).allow is in_process
    assert opa_desk.engine(files).decide(question).allow is not in_process
