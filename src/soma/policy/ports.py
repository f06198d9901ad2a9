"""What this tier needs from a policy engine."""

from typing import Protocol

from soma.policy.domain.decision import Decision
from soma.policy.domain.policy_input import PolicyInput


class PolicyEngine(Protocol):
    """Decides, from any thread. Whatever goes wrong inside is a denial with a reason, never an exception."""

    @property
    def policy_hash(self) -> str:
        """SHA-256 (hex) of the policy in force; empty when none could be read."""

    @property
    def fault(self) -> str | None:
        """Why everything is denied, or None while the policy can be used."""

    def decide(self, policy_input: PolicyInput) -> Decision:
        """The decision on `policy_input`."""

    def reload(self) -> None:
        """Read the policy anew. One that cannot be used denies everything until the next reload."""
