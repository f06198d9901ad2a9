"""Whether each thing that we stand on can serve."""

import time
from collections.abc import Callable

from django.db import DatabaseError, connections

from soma.base.database import APP
from soma.events.api import Relay
from soma.interfaces.runtime import ReadyCheck
from soma.policy.api import Policy


def readiness(relay: Relay, policy: Policy) -> Callable[[], dict[str, ReadyCheck]]:
    """A function that asks every dependency; it blocks for as long as they take to answer."""

    def ask() -> dict[str, ReadyCheck]:
        return {"postgres": _postgres(), "relay": _relay(relay), "policy": _policy(policy)}

    return ask


def _postgres() -> ReadyCheck:
    begun = time.perf_counter()
    try:
        with connections[APP].cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return ReadyCheck(ok=False, detail=str(error).strip(), latency_ms=_since(begun))
    return ReadyCheck(ok=True, latency_ms=_since(begun))


def _relay(relay: Relay) -> ReadyCheck:
    status = relay.status()
    detail = status.last_error or ("relaying" if status.active else "another process relays")
    return ReadyCheck(ok=status.running and not status.last_error, detail=detail)


def _policy(policy: Policy) -> ReadyCheck:
    return ReadyCheck(ok=policy.fault is None, detail=policy.fault or (policy.policy_hash or ""))


def _since(begun: float) -> float:
    return round((time.perf_counter() - begun) * 1000, 3)
