"""Questions that the tests put to a policy."""

from typing import Any
from uuid import UUID

from soma.base.tenancy import Principal
from soma.policy.api import PolicyInput

TENANT, OTHER_TENANT = UUID(int=1), UUID(int=2)
USER, OTHER_USER = UUID(int=11), UUID(int=12)


def caller(*roles: str) -> Principal:
    """A user of TENANT."""
    return Principal(tenant_id=TENANT, user_id=USER, session_id=UUID(int=21), roles=roles)


def request(action: str, *roles: str, **resource: Any) -> PolicyInput:
    """May a caller with `roles` do `action` to something of their tenant?"""
    return PolicyInput(action=action, principal=caller(*roles), resource={"tenant_id": TENANT, **resource})


def tool_call(
    *roles: str, resource: dict[str, Any] | None = None, context: dict[str, Any] | None = None
) -> PolicyInput:
    """May a caller with `roles` have the calculator called, in the first of ten iterations?"""
    return PolicyInput(
        action="tool:execute",
        principal=caller(*roles),
        resource={"tenant_id": TENANT, "tool": "calculator", "enabled": True, **(resource or {})},
        context={
            "capabilities": ["calculator", "clock", "memory_recall"],
            "iteration": 0,
            "max_iterations": 10,
            **(context or {}),
        },
    )
