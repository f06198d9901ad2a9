"""What this tier needs from a store that forgets."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from soma.identity.domain.rate import RateDecision, RateWindow

NOBODY = UUID(int=0)
"""The tenant of what belongs to none: what is counted before anybody is known."""


class RateWindows(Protocol):
    """Sliding windows, exact to the microsecond of the store's own clock, in every process at once."""

    def hit(self, tenant_id: UUID, windows: Sequence[RateWindow]) -> tuple[RateDecision, ...]:
        """Count one hit in each of `windows`, or, where one of them is full, in none.

        The decisions are in the order of `windows`, whose keys differ. Raises StoreUnavailable.
        """


class KeyValueStore(RateWindows, Protocol):
    """Values of up to 1 MiB under keys of a tenant, for a time. For what may be lost: a crash of the store
    may forget anything, and bring back what was overwritten or deleted in its last second.

    Every method raises StoreUnavailable when the store does not answer, InvalidInput or LimitExceeded for
    a key, value or time that it does not take.
    """

    def get(self, tenant_id: UUID, key: str) -> bytes | None:
        """The value, None where there is none or its time is over."""

    def set(
        self,
        tenant_id: UUID,
        key: str,
        value: bytes,
        *,
        ttl: timedelta | None = None,
        only_if_absent: bool = False,
    ) -> bool:
        """Keep `value` for `ttl`, or for good, in place of what there is; whether it was kept."""

    def delete(self, tenant_id: UUID, key: str) -> bool:
        """Forget a key; whether there was a value."""

    def increment(self, tenant_id: UUID, key: str, amount: int = 1, *, ttl: timedelta | None = None) -> int:
        """Add to the whole number under `key`, 0 where there is none; what it is then.

        `ttl` is that of a number begun by this; one that stands keeps its own. `get` gives it in decimal
        digits. Raises NotCountable.
        """


class TenantRoles(Protocol):
    """Where it stands what users are in their tenant, for whoever decides by that."""

    def give_role(self, tenant_id: UUID, user_id: UUID, role: str) -> None:
        """Make `role` what the user is, in place of anything else, with the tenant's open transaction.
        Raises Unavailable."""
