"""The public face of this tier."""

from soma.base.errors import Denied
from soma.policy.domain.decision import Decision
from soma.policy.domain.permission import PermissionCheck, PermissionDecision
from soma.policy.domain.policy_input import PolicyInput
from soma.policy.domain.relationship import ObjectRef, Relationship, RelationshipFilter, SubjectRef
from soma.policy.domain.synchronised import Synchronised
from soma.policy.errors import PermissionDenied
from soma.policy.ports import PolicyEngine, RelationObserver, RelationStore
from soma.policy.services.relations import Relations

__all__ = [
    "Decision",
    "ObjectRef",
    "PermissionCheck",
    "PermissionDecision",
    "PermissionDenied",
    "Policy",
    "PolicyEngine",
    "PolicyInput",
    "RelationObserver",
    "RelationStore",
    "Relations",
    "Relationship",
    "RelationshipFilter",
    "SubjectRef",
    "Synchronised",
]


class Policy:
    """Asks the engine, and turns a denial into an error where the caller wants one."""

    def __init__(self, engine: PolicyEngine) -> None:
        self._engine = engine

    @property
    def policy_hash(self) -> str:
        """SHA-256 (hex) of the policy in force; empty when none could be read."""
        return self._engine.policy_hash

    @property
    def fault(self) -> str | None:
        """Why everything is denied, or None while the policy can be used."""
        return self._engine.fault

    def decide(self, policy_input: PolicyInput) -> Decision:
        """The decision, whichever way it goes. Does not raise."""
        return self._engine.decide(policy_input)

    def require(self, policy_input: PolicyInput) -> Decision:
        """The decision if it allows. Raises Denied with the reasons if it does not."""
        decision = self._engine.decide(policy_input)
        if not decision.allow:
            raise Denied(
                f"The policy does not allow {policy_input.action}.",
                reasons=decision.reasons,
                policy_hash=decision.policy_hash,
            )
        return decision

    def reload(self) -> None:
        """Read the policy files anew; every thread uses them from its next decision on."""
        self._engine.reload()
