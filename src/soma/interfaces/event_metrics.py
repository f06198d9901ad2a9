"""Prometheus measurements of the event backbone, taken when somebody asks for them."""

import logging
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType

from django.db import DatabaseError
from prometheus_client import Gauge

from soma.base.clock import now
from soma.base.errors import Unavailable
from soma.events.api import LetterCount, letter_counts
from soma.interfaces.metrics import REGISTRY
from soma.interfaces.runtime import Runtime

logger = logging.getLogger(__name__)

OUTBOX_WAITING = Gauge(
    "soma_outbox_waiting", "Events that wait for the relay; NaN where nobody knows.", registry=REGISTRY
)
OUTBOX_OLDEST_SECONDS = Gauge(
    "soma_outbox_oldest_seconds",
    "How long the oldest of them has waited: the relay's lag.",
    registry=REGISTRY,
)
CONSUMER_WAITING = Gauge(
    "soma_consumer_waiting",
    "Events of the log that wait for the consumer.",
    ["consumer"],
    registry=REGISTRY,
)
CONSUMER_PARKED = Gauge(
    "soma_consumer_parked",
    "Of these, the ones that failed and wait for their next attempt, or wait behind one that did.",
    ["consumer"],
    registry=REGISTRY,
)
CONSUMER_OLDEST_SECONDS = Gauge(
    "soma_consumer_oldest_seconds",
    "How long the oldest of them has been in the log: the consumer's lag.",
    ["consumer"],
    registry=REGISTRY,
)
HEARTBEAT_SECONDS = Gauge(
    "soma_consumer_heartbeat_seconds",
    "Since when the consumer was not heard of, in any process.",
    ["consumer"],
    registry=REGISTRY,
)
SILENT = Gauge(
    "soma_consumer_silent",
    "1 where it should have been heard of since, or never was.",
    ["consumer"],
    registry=REGISTRY,
)
DEAD_LETTERS = Gauge(
    "soma_dead_letters",
    "Events that were given up, by whom, and that nobody has had tried again.",
    ["source"],
    registry=REGISTRY,
)
DEAD_LETTERS_OLDEST_SECONDS = Gauge(
    "soma_dead_letters_oldest_seconds",
    "How long ago the oldest of them was given up.",
    ["source"],
    registry=REGISTRY,
)


def measure_events(runtime: Runtime | None) -> None:
    """Measure what can be measured; what nobody knows has no series, or is NaN, and is logged. Blocking."""
    _forget()
    if runtime is None:
        return
    failed = dict[str, str]()
    for what, measure in MEASURES.items():
        try:
            measure(runtime)
        except (Unavailable, DatabaseError) as error:
            failed[what] = str(error).partition("\n")[0]
    if failed:
        logger.warning("not measured: %s", "; ".join(f"{what} ({why})" for what, why in failed.items()))


def _forget() -> None:
    OUTBOX_WAITING.set(math.nan)
    OUTBOX_OLDEST_SECONDS.set(math.nan)
    for gauge in (
        CONSUMER_WAITING,
        CONSUMER_PARKED,
        CONSUMER_OLDEST_SECONDS,
        HEARTBEAT_SECONDS,
        SILENT,
        DEAD_LETTERS,
        DEAD_LETTERS_OLDEST_SECONDS,
    ):
        gauge.clear()


def _measure_outbox(runtime: Runtime) -> None:
    backlog = runtime.relay.backlog()
    OUTBOX_WAITING.set(backlog.waiting)
    OUTBOX_OLDEST_SECONDS.set(_age(backlog.oldest))


def _measure_letters(runtime: Runtime) -> None:
    # The relay and the consumers of this process have a series from the start, so that an alert sees them
    # leave 0.
    known = dict.fromkeys(("relay", *(each.name for each in runtime.consumers.status())), 0)
    found: dict[str, LetterCount] = {each.source: each for each in letter_counts()}
    for source in known | found:
        count = found.get(source)
        DEAD_LETTERS.labels(source).set(count.letters if count else 0)
        DEAD_LETTERS_OLDEST_SECONDS.labels(source).set(_age(count.oldest if count else None))


def _measure_heartbeats(runtime: Runtime) -> None:
    beats = runtime.consumers.heartbeats()
    for each in runtime.consumers.status():
        beat = beats.get(each.name)
        HEARTBEAT_SECONDS.labels(each.name).set(_age(beat.beat_at) if beat else math.nan)
        SILENT.labels(each.name).set(beat is None or beat.silent)


def _measure_backlogs(runtime: Runtime) -> None:
    for backlog in runtime.consumers.backlogs():
        CONSUMER_WAITING.labels(backlog.name).set(backlog.waiting)
        CONSUMER_PARKED.labels(backlog.name).set(backlog.parked)
        CONSUMER_OLDEST_SECONDS.labels(backlog.name).set(_age(backlog.oldest))


MEASURES: Mapping[str, Callable[[Runtime], None]] = MappingProxyType(
    {
        "the outbox": _measure_outbox,
        "dead letters": _measure_letters,
        "heartbeats": _measure_heartbeats,
        "backlogs": _measure_backlogs,
    }
)


def _age(moment: datetime | None) -> float:
    return 0.0 if moment is None else (now() - moment).total_seconds()
