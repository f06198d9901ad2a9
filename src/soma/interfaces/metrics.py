"""Prometheus measurements of the faces and of the turns that pass."""

import time
from collections import OrderedDict
from functools import cache
from threading import Lock
from uuid import UUID

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

from soma.policy.api import PermissionDecision

# The time at which each series began doubles their number and tells nothing that a restart does not.
disable_created_metrics()  # type: ignore[no-untyped-call]

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 12.5, 30, 60)

REQUESTS = Counter(
    "soma_http_requests", "Requests answered.", ["method", "route", "status"], registry=REGISTRY
)
REQUEST_SECONDS = Histogram(
    "soma_http_request_seconds",
    "From the request to the first byte of the answer.",
    ["method", "route"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
OPEN_STREAMS = Gauge("soma_http_open_streams", "Event streams that are open.", registry=REGISTRY)
PHASES = Counter("soma_turn_phases", "Phases that turns have entered.", ["phase"], registry=REGISTRY)
PHASE_SECONDS = Histogram(
    "soma_turn_phase_seconds",
    "From entering a phase to entering the next one of the same turn.",
    ["phase"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
READY = Gauge(
    "soma_ready", "1 where the dependency answered the last readiness check.", ["check"], registry=REGISTRY
)
MEMORY_ANALYSED = Gauge(
    "soma_memory_analysed",
    "Memories that were stored without an analysis of their text and have got one since the start.",
    registry=REGISTRY,
)
MEMORY_ANALYSING = Gauge("soma_memory_analysing", "1 while there may be more of these.", registry=REGISTRY)

RELATION_SECONDS = Histogram(
    "soma_relation_check_seconds",
    "What a decision by relations takes.",
    ["engine"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
RELATION_DECISIONS = Counter(
    "soma_relation_decisions",
    "Decisions by relations: allow, deny, or error, which is a denial too.",
    ["engine", "decision"],
    registry=REGISTRY,
)

WATCHED_TURNS = 10_000
"""Turns whose last phase is remembered; past this the one longest silent is forgotten."""


class MetricsObserver:
    """Counts and times the phases of turns: a `soma.base.phases.PhaseObserver`."""

    def __init__(self) -> None:
        self._last: OrderedDict[UUID, tuple[str, float]] = OrderedDict()
        self._lock = Lock()
        self._entered = cache(PHASES.labels)
        self._lasted = cache(PHASE_SECONDS.labels)

    def phase(self, name: str, turn_id: UUID, iteration: int) -> None:
        """A turn has entered the phase `name`."""
        now = time.perf_counter()
        self._entered(name).inc()
        with self._lock:
            previous = self._last.pop(turn_id, None)
            self._last[turn_id] = (name, now)
            if len(self._last) > WATCHED_TURNS:
                self._last.popitem(last=False)
        if previous is not None:
            self._lasted(previous[0]).observe(now - previous[1])


class RelationMetrics:
    """Counts and times decisions by relations: a `soma.policy.api.RelationObserver`."""

    def __init__(self) -> None:
        self._lasted = cache(RELATION_SECONDS.labels)
        self._made = cache(RELATION_DECISIONS.labels)

    def decided(self, decision: PermissionDecision) -> None:
        """A decision was made, whichever way it went."""
        kind = "error" if decision.failed else "allow" if decision.allow else "deny"
        self._lasted(decision.engine).observe(decision.latency_ms / 1000)
        self._made(decision.engine, kind).inc()
