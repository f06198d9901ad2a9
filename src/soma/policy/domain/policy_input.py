"""What a policy is asked."""

from dataclasses import dataclass, field
from typing import Any

from soma.base.tenancy import Principal


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyInput:
    """May `principal` do `action` ("<area>:<verb>") to `resource`, in `context`?

    Both dictionaries hold JSON values and UUIDs. `resource` names the tenant it is of (`tenant_id`) and,
    where a user owns it, `owner_id`; what a tool call adds stands at the top of policies/tools.rego.
    """

    action: str
    principal: Principal
    resource: dict[str, Any]
    context: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The `input` document that the policies read."""
        return {
            "action": self.action,
            "principal": {
                "tenant_id": self.principal.tenant_id,
                "user_id": self.principal.user_id,
                "session_id": self.principal.session_id,
                "roles": self.principal.roles,
            },
            "resource": self.resource,
            "context": self.context,
        }
