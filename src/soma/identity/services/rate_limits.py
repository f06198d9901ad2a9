"""Whether somebody asks too often. Every limit holds in all processes together."""

import math
import time
from collections.abc import Sequence
from datetime import timedelta
from ipaddress import IPv6Address, ip_address
from uuid import UUID

from soma.base.errors import RateLimited
from soma.base.tenancy import Principal
from soma.identity.domain.rate import RateDecision, RateWindow
from soma.identity.domain.rate_rules import PERIOD_SECONDS, RateRules
from soma.identity.ports import NOBODY, RateWindows

SPAN = timedelta(seconds=PERIOD_SECONDS)
FULL_REMEMBERED = 10_000
SITE_BITS = 64
"""An IPv6 site has this many bits of its addresses to itself."""

USER, TENANT, TURNS = "requests of the user", "requests of the tenant", "turns of the user"
SESSIONS, REFUSED = "attempts to sign in from the address", "refused requests from the address"


class RateLimits:
    """Counts requests in `windows` and refuses those past `rules`."""

    def __init__(self, windows: RateWindows, rules: RateRules) -> None:
        self._windows = windows
        self._rules = rules
        self._full: dict[tuple[UUID, str], tuple[RateWindow, str, float]] = {}

    def admit(self, principal: Principal, *, turn: bool = False) -> tuple[RateDecision, ...]:
        """Count a request of `principal`, one that begins a turn in its window as well; nothing is counted
        of one that is refused. Raises RateLimited, StoreUnavailable."""
        user, rules = principal.user_id.hex, self._rules
        wanted = [(USER, f"user:{user}", rules.requests), (TENANT, "tenant", rules.tenant_requests)]
        if turn:
            wanted.append((TURNS, f"turns:{user}", rules.turns))
        return self._admit(principal.tenant_id, wanted)

    def admit_sign_in(self, address: str) -> tuple[RateDecision, ...]:
        """Count an attempt to get a session from the network address. Raises as `admit`."""
        return self._admit(NOBODY, [(SESSIONS, f"sessions:{_site(address)}", self._rules.sessions)])

    def admit_refusal(self, address: str) -> tuple[RateDecision, ...]:
        """Count a request that was refused since nobody we know asked. Raises as `admit`."""
        return self._admit(NOBODY, [(REFUSED, f"refused:{_site(address)}", self._rules.requests)])

    def _admit(self, tenant_id: UUID, wanted: Sequence[tuple[str, str, int]]) -> tuple[RateDecision, ...]:
        limits = {RateWindow(key=key, limit=limit, span=SPAN): name for name, key, limit in wanted if limit}
        for window in limits:
            self._require_not_full(tenant_id, window)
        decisions = self._windows.hit(tenant_id, tuple(limits)) if limits else ()
        full = max(decisions, key=lambda decision: decision.retry_after, default=None)
        if full is not None and not full.allowed:
            self._remember_full(tenant_id, full, limits[full.window])
            raise _limited(full.window, limits[full.window], full.retry_after)
        return decisions

    def _require_not_full(self, tenant_id: UUID, window: RateWindow) -> None:
        """A full window stays full until the time that was named: those who go on asking are refused without
        asking the store. Raises RateLimited."""
        found = self._full.get((tenant_id, window.key))
        if found is None:
            return
        wait = found[2] - time.monotonic()
        if wait > 0:
            raise _limited(found[0], found[1], wait)
        self._full.pop((tenant_id, window.key), None)

    def _remember_full(self, tenant_id: UUID, full: RateDecision, name: str) -> None:
        if len(self._full) >= FULL_REMEMBERED:
            self._full.clear()
        until = time.monotonic() + full.retry_after
        self._full[tenant_id, full.window.key] = (full.window, name, until)


def _limited(window: RateWindow, name: str, wait: float) -> RateLimited:
    return RateLimited(name, maximum=window.limit, period=PERIOD_SECONDS, retry_after=max(1, math.ceil(wait)))


def _site(address: str) -> str:
    """Whose address it is: of IPv6 the network, in which its owner may choose."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    mapped = parsed.ipv4_mapped
    return str(mapped) if mapped else f"{int(parsed) >> SITE_BITS:x}"
