"""policies/memory.rego, on both engines."""

from typing import Any

import pytest

from soma.policy.api import PolicyEngine, PolicyInput
from tests.policy.questions import OTHER_TENANT, OTHER_USER, TENANT, USER, caller

pytestmark = pytest.mark.req("MEM-001", "AUTH-002")

TREATMENTS = {"secret": "hash", "card": "refuse", "email": "store"}


def question(
    *roles: str, resource: dict[str, Any] | None = None, context: dict[str, Any] | None = None
) -> PolicyInput:
    """May a caller with `roles` remember a statement in a namespace of their own?"""
    return PolicyInput(
        action="memory:remember",
        principal=caller(*roles),
        resource={"tenant_id": TENANT, "namespaces": [str(USER)], "kinds": ["statement"], **(resource or {})},
        context={"treatments": TREATMENTS, **(context or {})},
    )


@pytest.mark.parametrize(
    ("role", "allowed"),
    [("owner", True), ("operator", True), ("consolidation", True), ("observer", False), ("guest", False)],
)
def test_who_may_remember(engine: PolicyEngine, role: str, allowed: bool) -> None:
    assert engine.decide(question(role)).allow is allowed


@pytest.mark.parametrize("namespace", [str(OTHER_USER), f"{USER}x", f"{USER}:notes", "", "shared"])
@pytest.mark.parametrize("role", ["owner", "operator", "consolidation"])
def test_these_roles_write_in_every_namespace_of_their_tenant(
    engine: PolicyEngine, role: str, namespace: str
) -> None:
    assert engine.decide(question(role, resource={"namespaces": [namespace]})).allow


@pytest.mark.parametrize(
    ("rule", "resource", "context"),
    [
        ("memory.namespaces_reached", {"namespaces": []}, {}),
        ("memory.namespaces_reached", {"namespaces": None}, {}),
        ("memory.namespaces_reached", {"namespaces": {"a": str(USER)}}, {}),
        ("memory.namespaces_reached", {"namespaces": str(USER)}, {}),
        ("memory.kinds_granted", {"kinds": []}, {}),
        ("memory.kinds_granted", {"kinds": {"a": "statement"}}, {}),
        ("memory.kinds_granted", {"kinds": None}, {}),
        ("memory.personal_data_treated", {}, {"treatments": {"secret": "hash"}}),
        ("memory.personal_data_treated", {}, {"treatments": {**TREATMENTS, "secret": "store"}}),
        ("memory.personal_data_treated", {}, {"treatments": {**TREATMENTS, "secret": "HASH"}}),
        ("memory.personal_data_treated", {}, {"treatments": {}}),
        ("memory.personal_data_treated", {}, {"treatments": None}),
        ("memory.personal_data_treated", {}, {"treatments": ["secret", "card"]}),
        ("requests.same_tenant", {"tenant_id": OTHER_TENANT}, {}),
    ],
    ids=str,
)
def test_what_is_denied(
    engine: PolicyEngine, rule: str, resource: dict[str, Any], context: dict[str, Any]
) -> None:
    decision = engine.decide(question("owner", resource=resource, context=context))
    assert not decision.allow
    assert [reason.partition(":")[0] for reason in decision.reasons] == [rule]
