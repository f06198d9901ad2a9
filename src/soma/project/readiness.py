"""Whether each thing that we stand on can serve."""

import time
from collections.abc import Callable, Mapping

from django.db import DatabaseError, connections

from soma.base.database import APP
from soma.events.api import Relay
from soma.interfaces.runtime import ReadyCheck
from soma.policy.api import Policy

Check = Callable[[], ReadyCheck]


def readiness(checks: Mapping[str, Check]) -> Callable[[], dict[str, ReadyCheck]]:
    """A function that asks every dependency; it blocks for as long as they take to answer."""

    def ask() -> dict[str, ReadyCheck]:
        return {name: check() for name, check in checks.items()}

    return ask


def postgres_check() -> ReadyCheck:
    """Whether PostgreSQL answers a query."""
    begun = time.perf_counter()
    try:
        with connections[APP].cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return ReadyCheck(ok=False, detail=str(error).strip(), latency_ms=_since(begun))
    return ReadyCheck(ok=True, latency_ms=_since(begun))


def relay_check(relay: Relay) -> Check:
    """Whether events reach the log. While they do not they wait in the outbox, and turns go on."""

    def check() -> ReadyCheck:
        status = relay.status()
        detail = status.last_error or ("relaying" if status.active else "another process relays")
        ok = status.running and not status.last_error
        return ReadyCheck(ok=ok, detail=detail, essential=not status.running)

    return check


def policy_check(policy: Policy) -> Check:
    """Whether the policy can be used; without one everything is denied."""

    def check() -> ReadyCheck:
        return ReadyCheck(ok=policy.fault is None, detail=policy.fault or policy.policy_hash)

    return check


def _since(begun: float) -> float:
    return round((time.perf_counter() - begun) * 1000, 3)
