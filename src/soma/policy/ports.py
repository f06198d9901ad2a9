"""What this tier needs from a policy engine and from a store of relations."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from soma.policy.domain.decision import Decision
from soma.policy.domain.permission import PermissionCheck, PermissionDecision
from soma.policy.domain.policy_input import PolicyInput
from soma.policy.domain.relationship import Relationship, RelationshipFilter
from soma.policy.domain.synchronised import Synchronised


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


class RelationStore(Protocol):
    """Relationships, and what they permit by the schema.

    Every method is called inside the open transaction of the tenant that it names, and sees what that
    transaction sees: its own writes and everything that was committed before the call, by any process.
    What one tenant wrote never counts for another.
    """

    @property
    def engine(self) -> str:
        """Who decides: "postgres" or "spicedb"."""

    @property
    def fault(self) -> str | None:
        """Why everything is denied, or None while the store answers."""

    def check_bulk(
        self, tenant_id: UUID, checks: Sequence[PermissionCheck]
    ) -> tuple[PermissionDecision, ...]:
        """The decisions, in order, within 100 ms. Whatever goes wrong inside, except with the transaction
        itself, is a denial with a reason, never an exception."""

    def write(
        self,
        tenant_id: UUID,
        *,
        touch: Sequence[Relationship] = (),
        delete: Sequence[Relationship] = (),
    ) -> None:
        """Have the relationships of `touch` and not those of `delete`, whether they were there or not.

        Takes effect with the transaction. Raises InvalidInput where the schema does not allow one,
        Unavailable.
        """

    def read(self, tenant_id: UUID, wanted: RelationshipFilter, *, limit: int) -> tuple[Relationship, ...]:
        """The first `limit` relationships that agree with `wanted`, in a fixed order."""

    def synchronise(self, tenant_id: UUID) -> Synchronised:
        """Bring a server behind this store level with the tenant's relationships. Raises Unavailable."""

    def close(self) -> None:
        """Let go of connections and threads."""


class RelationObserver(Protocol):
    """Is told of every decision by relations."""

    def decided(self, decision: PermissionDecision) -> None:
        """A decision was made, whichever way it went."""
