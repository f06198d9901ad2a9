"""Two stores for the rate windows: the second counts while the first does not answer."""

import logging
from collections.abc import Sequence
from uuid import UUID

from soma.identity.domain.rate import RateDecision, RateWindow
from soma.identity.errors import StoreUnavailable
from soma.identity.ports import RateWindows
from soma.identity.services.outage import Outage

log = logging.getLogger(__name__)


class FallbackRateWindows:
    """Counts in `first`, in `second` while `first` is away. Neither knows the other's hits: in the window in
    which the change falls, twice the limit may pass."""

    def __init__(self, first: RateWindows, second: RateWindows) -> None:
        self._first = first
        self._second = second
        self._outage = Outage()

    @property
    def degraded(self) -> str | None:
        """Why the second counts, None while the first does."""
        return self._outage.reason

    def hit(self, tenant_id: UUID, windows: Sequence[RateWindow]) -> tuple[RateDecision, ...]:
        """See RateWindows. A first that is away costs one caller a second its time-out."""
        if self._outage.may_ask():
            try:
                decisions = self._first.hit(tenant_id, windows)
            except StoreUnavailable as error:
                if self._outage.failed(error.detail):
                    log.warning("rate windows are counted in the second store: %s", error.detail)
            else:
                if self._outage.worked():
                    log.warning("rate windows are counted in the first store again")
                return decisions
        return self._second.hit(tenant_id, windows)
