"""Asking the policy whether memories may be written."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from soma.base.errors import Unavailable
from soma.base.tenancy import Principal
from soma.policy.api import Decision, Policy, PolicyInput

ACTION = "memory:remember"
ENGINE = "engine."
"""How the reasons of an engine begin that could not decide."""
NOT_DECIDABLE = "engine.policy_input_invalid"

Written = tuple[str, str]
"""A namespace, and the kind of what is written there."""


def consolidation_principal(tenant_id: UUID) -> Principal:
    """In whose name a turn is remembered once it is over, when nobody is signed in."""
    return Principal(
        tenant_id=tenant_id, user_id=UUID(int=0), session_id=UUID(int=0), roles=("consolidation",)
    )


class MemoryPolicy:
    """The rules of policies/memory.rego."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def denials(
        self,
        tenant_id: UUID,
        principal: Principal,
        batch: Sequence[Written],
        treatments: Mapping[str, str],
    ) -> list[str | None]:
        """For each of `batch` None, or "rule: reason" for why it may not be written. One question if all may,
        else one more for each namespace and kind. Raises Unavailable if the policy cannot decide."""
        ask = partial(self._denial, tenant_id, principal, treatments)
        distinct = sorted(set(batch))
        if ask(distinct) is None:
            return [None] * len(batch)
        denials = {each: ask([each]) for each in distinct}
        return [denials[each] for each in batch]

    def _denial(
        self,
        tenant_id: UUID,
        principal: Principal,
        treatments: Mapping[str, str],
        distinct: Sequence[Written],
    ) -> str | None:
        decision = self._policy.decide(_question(tenant_id, principal, treatments, distinct))
        if decision.allow:
            return None
        reasons = _reasons(decision)
        if any(each.startswith(ENGINE) and not each.startswith(NOT_DECIDABLE) for each in reasons):
            raise Unavailable(f"The policy on remembering could not be asked: {'; '.join(reasons)}")
        return "; ".join(reasons)


def _question(
    tenant_id: UUID, principal: Principal, treatments: Mapping[str, str], distinct: Sequence[Written]
) -> PolicyInput:
    resource: dict[str, Any] = {
        "tenant_id": tenant_id,
        "namespaces": sorted({namespace for namespace, _ in distinct}),
        "kinds": sorted({kind for _, kind in distinct}),
    }
    context = {"treatments": dict(treatments)}
    return PolicyInput(action=ACTION, principal=principal, resource=resource, context=context)


def _reasons(decision: Decision) -> tuple[str, ...]:
    return decision.reasons or ("policy.denied: The policy gives no reason.",)
