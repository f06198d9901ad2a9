"""How fast events leave the outbox, and how soon after their commit a consumer has them."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from benchmarks.figures import medians, percentiles
from benchmarks.lines import emit, tell
from benchmarks.machine import describe
from benchmarks.server import Server
from soma.base.canonical import json_bytes
from soma.base.configuration import Configuration
from soma.base.database import tenant_transaction
from soma.base.ids import new_id
from soma.events.api import (
    Consumer,
    ConsumerRunner,
    Event,
    EventLog,
    PostgresEventLog,
    Relay,
    StoredEvent,
    publish,
)

TENANTS = 20
EVENTS_A_TRANSACTION = 5
EVENTS_A_SECOND = 200
DRAIN_SECONDS = 120.0
HASH = "0f" * 32
WEIGHTS = dict.fromkeys(("alpha", "beta", "gamma", "tau", "lambda", "mu", "nu"), 0.123456789)
NEUROMODULATORS = dict.fromkeys(("dopamine", "serotonin", "norepinephrine", "acetylcholine"), 0.5)


def relay(configuration: Configuration, *, kafka_servers: str, quick: bool) -> None:
    """Measure the log in PostgreSQL, and the one in Kafka if there are servers."""
    describe(Server(configuration))
    logs: dict[str, EventLog] = {"postgres": PostgresEventLog()}
    if kafka_servers:
        from soma.events.adapters.event_log_kafka import KafkaEventLog  # noqa: PLC0415 - not always installed

        logs["kafka"] = KafkaEventLog(kafka_servers, prefix=f"bench-{new_id().hex[-8:]}.")
    for name, log in logs.items():
        _throughput(name, log, rounds=2 if quick else 3, events=2_000 if quick else 20_000)
        _latency(name, log, events=400 if quick else 2_000)


def _throughput(name: str, log: EventLog, *, rounds: int, events: int) -> None:
    rates = []
    for number in range(1, rounds + 1):
        tell(f"{name}: relaying {events} events, round {number} of {rounds}")
        tenants = [new_id() for _ in range(TENANTS)]
        for start in range(0, events, 100):
            _publish(tenants[start // 100 % TENANTS], 100)
        mover = Relay(log)
        started = time.perf_counter()
        mover.start()
        if not mover.drain(DRAIN_SECONDS):
            raise RuntimeError(f"events are left after {DRAIN_SECONDS:g} s: {mover.status().last_error}")
        rates.append({"events_per_second": events / (time.perf_counter() - started)})
        mover.stop()
    emit(
        "relay",
        log=name,
        tenants=TENANTS,
        events=events,
        rounds=rounds,
        payload_bytes=len(json_bytes(_event(new_id()).payload)),
        slowest_events_per_second=round(min(rate["events_per_second"] for rate in rates)),
        **medians(rates),
    )


def _latency(name: str, log: EventLog, *, events: int) -> None:
    tell(f"{name}: {events} events, {EVENTS_A_SECOND} a second")
    committed: dict[UUID, float] = {}
    spent: list[float] = []

    def handler(event: StoredEvent) -> None:
        # The clock of the handler first: a commit may return after its event has come.
        arrived = time.perf_counter()
        spent.append((arrived - committed.get(event.event_id, arrived)) * 1000)

    tenants = [new_id() for _ in range(TENANTS)]
    with _running(log, handler) as (mover, consumers):
        started = time.perf_counter()
        for number in range(events // EVENTS_A_TRANSACTION):
            due = started + number * EVENTS_A_TRANSACTION / EVENTS_A_SECOND
            time.sleep(max(0.0, due - time.perf_counter()))
            published = _publish(tenants[number % TENANTS], EVENTS_A_TRANSACTION)
            committed |= dict.fromkeys(published, time.perf_counter())
        if not (mover.drain(DRAIN_SECONDS) and consumers.drain(DRAIN_SECONDS)):
            raise RuntimeError(f"events are left after {DRAIN_SECONDS:g} s")
    cuts = percentiles(spent)
    emit(
        "relay_latency",
        log=name,
        events=len(spent),
        events_per_second=EVENTS_A_SECOND,
        commit_to_consumer_ms_p50=round(cuts["p50"], 1),
        commit_to_consumer_ms_p95=round(cuts["p95"], 1),
        commit_to_consumer_ms_max=round(max(spent), 1),
    )


@contextmanager
def _running(log: EventLog, handler: Callable[[StoredEvent], None]) -> Iterator[tuple[Relay, ConsumerRunner]]:
    """A relay, and a consumer that has handled all that was there before."""
    caught_up = threading.Event()

    def told(event: StoredEvent) -> None:
        if caught_up.is_set():
            handler(event)

    mover = Relay(log)
    consumer = Consumer(name=f"bench-{new_id()}", types=("chat.iteration_completed",), handler=told)
    consumers = ConsumerRunner(log, [consumer])
    mover.start()
    consumers.start()
    try:
        if not consumers.drain(DRAIN_SECONDS):
            raise RuntimeError("the consumer does not catch up")
        caught_up.set()
        yield mover, consumers
    finally:
        consumers.stop()
        mover.stop()


def _publish(tenant_id: UUID, amount: int) -> list[UUID]:
    events = [_event(tenant_id) for _ in range(amount)]
    with tenant_transaction(tenant_id):
        publish(*events)
    return [event.event_id for event in events]


def _event(tenant_id: UUID) -> Event:
    turn = str(new_id())
    payload = {
        "turn_id": turn,
        "conversation_id": str(new_id()),
        "agent_id": "default",
        "iteration": 0,
        "state": "completed",
        "confidence": 0.9,
        "confidence_source": "logprobs",
        "convergence_score": 0.9,
        "success_factor": 1.0,
        "tool_utility": 1.0,
        "decision": "continue",
        "prompt_tokens": 100,
        "completion_tokens": 10,
        "output_hash": HASH,
        "prompt_hash": HASH,
        "tools_used": ["calculator"],
        "weights_before": WEIGHTS,
        "weights_after": WEIGHTS,
        "weight_deltas": WEIGHTS,
        "neuromodulators_before": NEUROMODULATORS,
        "neuromodulators_after": NEUROMODULATORS,
        "reward": -0.1,
        "prediction_error": 0.2,
        "salience": 0.4,
        "learning_applied": True,
        "latency_ms": 12.5,
    }
    return Event(tenant_id=tenant_id, type="chat.iteration_completed", key=turn, payload=payload)
