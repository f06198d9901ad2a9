"""A request that the policy allows, whichever face it came through."""

from collections.abc import Mapping
from dataclasses import dataclass

from soma.base.errors import Denied
from soma.base.tenancy import Principal
from soma.interfaces.audit import record_decision
from soma.interfaces.runtime import Runtime
from soma.policy.api import Decision, PolicyInput


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """Who asked, what was asked and what the policy answered."""

    principal: Principal
    asked: PolicyInput
    decision: Decision


def grant(
    runtime: Runtime,
    principal: Principal,
    action: str,
    *,
    face: str,
    names: Mapping[str, object] | None = None,
) -> Grant:
    """Have the policy decide `action` on the things of `names`; a denial is recorded. Raises Denied.

    Blocking: call it on a database thread.
    """
    resource = {name: str(value) for name, value in (names or {}).items()}
    resource["tenant_id"] = str(principal.tenant_id)
    asked = PolicyInput(action=action, principal=principal, resource=resource, context={"face": face})
    decision = runtime.policy.decide(asked)
    if not decision.allow:
        record_decision(asked, decision)
        raise Denied(f"{action} is not allowed", reasons=decision.reasons)
    return Grant(principal=principal, asked=asked, decision=decision)
