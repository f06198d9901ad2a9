"""Whether each thing that we stand on can serve."""

import socket
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.db import DatabaseError, connections

from soma.base.clock import now
from soma.base.database import APP
from soma.base.errors import Unavailable
from soma.events.api import ConsumerRunner, Relay
from soma.identity.errors import StoreUnavailable
from soma.interfaces.runtime import ReadyCheck
from soma.policy.api import Policy, Relations

if TYPE_CHECKING:
    from soma.identity.adapters.key_value_store_redis import RedisKeyValueStore

Check = Callable[[], ReadyCheck]
MILVUS_PORT = 19530
PROBE_SECONDS = 1.0
LATE = timedelta(seconds=30)
"""What has waited for so long does not wait for its turn, but for something to come back."""


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


def memory_check(consumers: ConsumerRunner, name: str) -> Check:
    """Whether what turns leave to be remembered is remembered, by the consumer `name`. While it is not, it
    waits in the log in its order, and turns recall what they have at hand."""

    def check() -> ReadyCheck:
        begun = time.perf_counter()
        error = next((each.last_error for each in consumers.status() if each.name == name), "")
        try:
            [backlog] = [each for each in consumers.backlogs() if each.name == name]
        except (DatabaseError, Unavailable) as unknown:
            detail = f"nobody knows what waits: {str(unknown).strip()}"
            return ReadyCheck(ok=False, detail=detail, latency_ms=_since(begun), essential=False)
        late = backlog.oldest is not None and now() - backlog.oldest > LATE
        detail = f"memory: {backlog.waiting} events wait" + (f" ({error})" if error else "")
        return ReadyCheck(ok=not (error or late), detail=detail, latency_ms=_since(begun), essential=False)

    return check


def policy_check(policy: Policy) -> Check:
    """Whether the policy can be used; without one everything is denied."""

    def check() -> ReadyCheck:
        begun = time.perf_counter()
        fault = policy.fault
        return ReadyCheck(ok=fault is None, detail=fault or policy.policy_hash, latency_ms=_since(begun))

    return check


def relations_check(relations: Relations) -> Check:
    """Whether relations can be asked; without them everything is denied."""

    def check() -> ReadyCheck:
        begun = time.perf_counter()
        fault = relations.fault
        return ReadyCheck(ok=fault is None, detail=fault or relations.engine, latency_ms=_since(begun))

    return check


def redis_check(redis: "RedisKeyValueStore") -> Check:
    """Whether Redis answers. While it does not, PostgreSQL counts and sessions are read from there."""

    def check() -> ReadyCheck:
        begun = time.perf_counter()
        try:
            redis.ping()
        except StoreUnavailable as error:
            detail = f"{error.detail}; PostgreSQL counts requests and is asked for each session"
            return ReadyCheck(ok=False, detail=detail, latency_ms=_since(begun), essential=False)
        return ReadyCheck(ok=True, latency_ms=_since(begun), essential=False)

    return check


def milvus_check(url: str) -> Check:
    """Whether Milvus accepts connections. While it does not, recall does without what only it can find."""
    parts = urlsplit(url)
    address = (parts.hostname or "localhost", parts.port or MILVUS_PORT)

    def check() -> ReadyCheck:
        begun = time.perf_counter()
        try:
            socket.create_connection(address, timeout=PROBE_SECONDS).close()
        except OSError as error:
            detail = f"Milvus does not answer: {error}"
            return ReadyCheck(ok=False, detail=detail, latency_ms=_since(begun), essential=False)
        return ReadyCheck(ok=True, latency_ms=_since(begun), essential=False)

    return check


def _since(begun: float) -> float:
    return round((time.perf_counter() - begun) * 1000, 3)
