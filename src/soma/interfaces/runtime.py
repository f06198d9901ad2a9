"""What the faces stand on: the running parts of this process, installed once by the wiring."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from soma.agent.api import Agent
from soma.base.configuration import Configuration
from soma.base.database import DatabaseThreads
from soma.base.errors import Unavailable
from soma.brain.api import Brain, Documents, MemoryCapsules
from soma.events.api import AuditTrail, ConsumerRunner, EventLog, Relay
from soma.identity.api import Idempotency, Identity, RateLimits
from soma.policy.api import Policy, Relations


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadyCheck:
    """What one dependency answered when asked whether it can serve. Without one that is not `essential`
    turns still complete, on what is left."""

    ok: bool
    detail: str = ""
    latency_ms: float = 0.0
    essential: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Runtime:
    """The running parts. `readiness` asks every dependency, blocking; `closing` ends open streams."""

    configuration: Configuration
    agent: Agent
    brain: Brain
    documents: Documents
    memory_capsules: MemoryCapsules
    identity: Identity
    idempotency: Idempotency
    rates: RateLimits
    policy: Policy
    relations: Relations
    log: EventLog
    audit: AuditTrail
    relay: Relay
    consumers: ConsumerRunner
    readiness: Callable[[], dict[str, ReadyCheck]]
    database: DatabaseThreads
    heartbeat_seconds: float = 15.0
    closing: asyncio.Event = field(default_factory=asyncio.Event)


class _Installed:
    runtime: Runtime | None = None


def install(runtime: Runtime | None) -> None:
    """Make `runtime` the one that the faces use; None takes it away."""
    _Installed.runtime = runtime


def current() -> Runtime:
    """The installed runtime. Raises Unavailable before the start and after the stop."""
    if _Installed.runtime is None:
        raise Unavailable("the server is starting or stopping")
    return _Installed.runtime
