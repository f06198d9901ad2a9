"""Events are stored with their facts or not at all, and only events that keep their schema."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from django.db import ProgrammingError, connections, transaction

from soma.base.canonical import json_bytes
from soma.base.database import tenant_transaction
from soma.base.errors import LimitExceeded
from soma.base.ids import new_id
from soma.events.api import PAYLOAD_BYTES, Event, StoredEvent, publish
from soma.events.errors import OutsideTransaction, SchemaBreach, UnknownEventType
from soma.events.models import OutboxMessage
from tests.events.samples import PAYLOADS, failed_turn

Relayed = Callable[..., list[StoredEvent]]


class Undone(Exception):
    """Thrown to roll back."""


def publish_and_fail(event: Event) -> None:
    publish(event)
    raise Undone


def encoded_length(payload: dict[str, Any]) -> int:
    return len(json_bytes(payload))


def waiting(tenant_id: UUID) -> int:
    """How many of the tenant's events are in the outbox."""
    with tenant_transaction(tenant_id):
        return OutboxMessage.objects.filter(tenant_id=tenant_id).count()


@pytest.mark.req("PERSIST-002")
def test_every_attribute_arrives_as_published(tenant: UUID, relayed: Relayed) -> None:
    events = [
        Event(tenant_id=tenant, type=event_type, key=f"key-{event_type}", payload=payload, trace_id="trace-1")
        for event_type, payload in PAYLOADS.items()
    ]
    stored = relayed(*events)
    names = ("event_id", "tenant_id", "type", "version", "key", "payload", "trace_id", "occurred_at")
    for event, entry in zip(events, stored, strict=True):
        assert [getattr(entry, name) for name in names] == [getattr(event, name) for name in names]
    assert {entry.topic for entry in stored} == {
        "agent.audit",
        "agent.learning",
        "agent.memory",
        "agent.routing",
        "chat.events",
        "constitution.updated",
        "conversation.events",
        "gateway.audit",
        "mode.changed",
        "settings.changed",
        "tool.events",
    }


@pytest.mark.req("PERSIST-002")
def test_a_rollback_takes_the_event_with_the_facts(tenant: UUID, relayed: Relayed) -> None:
    with pytest.raises(Undone), tenant_transaction(tenant):
        publish_and_fail(failed_turn(tenant, "undone"))
    with tenant_transaction(tenant):
        with pytest.raises(Undone), transaction.atomic():
            publish_and_fail(failed_turn(tenant, "undone in part"))
        publish(failed_turn(tenant, "kept"))
    entries = relayed(failed_turn(tenant, "last"))
    assert [entry.payload["detail"] for entry in entries] == ["kept", "last"]


@pytest.mark.req("PERSIST-002")
def test_an_event_outside_a_transaction_is_refused(tenant: UUID) -> None:
    with pytest.raises(OutsideTransaction):
        publish(failed_turn(tenant, "alone"))


@pytest.mark.req("PERSIST-002")
def test_publishing_nothing_does_nothing(tenant: UUID) -> None:
    with tenant_transaction(tenant):
        publish()
    assert waiting(tenant) == 0


@pytest.mark.req("AUTH-004")
def test_an_event_of_another_tenant_is_refused_by_the_database(tenant: UUID) -> None:
    other = new_id()
    with pytest.raises(ProgrammingError, match="row-level security"), tenant_transaction(tenant):
        publish(failed_turn(tenant, "mine"), failed_turn(other, "not mine"))
    assert waiting(tenant) == waiting(other) == 0


@pytest.mark.req("SCHEMA-001")
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"type": "chat.turn_exploded"}, UnknownEventType),
        ({"version": 2}, UnknownEventType),
        ({"topic": "tool.events"}, SchemaBreach),
        ({"payload": {**PAYLOADS["chat.turn_failed"], "surprise": 1}}, SchemaBreach),
        ({"payload": {**PAYLOADS["chat.turn_failed"], "turn_id": "one"}}, SchemaBreach),
        ({"payload": {**PAYLOADS["chat.turn_failed"], "turn_id": new_id()}}, SchemaBreach),
        ({"payload": {**PAYLOADS["chat.turn_failed"], "detail": "a\0b"}}, SchemaBreach),
        ({"payload": {**PAYLOADS["chat.turn_failed"], "detail": "\ud83d"}}, SchemaBreach),
        ({"payload": []}, SchemaBreach),
        ({"trace_id": "a\0b"}, SchemaBreach),
        ({"key": "\ud83d"}, SchemaBreach),
        ({"key": "k" * 201}, LimitExceeded),
        ({"trace_id": "t" * 201}, LimitExceeded),
    ],
)
def test_a_bad_event_is_refused_at_publish_and_nothing_is_stored(
    tenant: UUID, change: dict[str, Any], error: type[Exception]
) -> None:
    good = failed_turn(tenant, "good")
    with pytest.raises(error), tenant_transaction(tenant):
        publish(good, replace(good, event_id=new_id(), **change))
    assert waiting(tenant) == 0


@pytest.mark.req("SCHEMA-001")
def test_a_bad_integer_is_refused(tenant: UUID) -> None:
    payload = {**PAYLOADS["chat.turn_started"], "seed": 10**30}
    with pytest.raises(SchemaBreach, match="not JSON"), tenant_transaction(tenant):
        publish(Event(tenant_id=tenant, type="chat.turn_started", key="k", payload=payload))


@pytest.mark.req("SCHEMA-001")
def test_the_payload_limit_is_named(tenant: UUID, relayed: Relayed) -> None:
    item = PAYLOADS["memory.remember_requested"]["items"][0]

    def request(letters: int) -> Event:
        items = [
            {**item, "content": "x" * 87_000},
            {**item, "content": "y" * 87_000},
            {**item, "content": "z" * letters},
        ]
        payload = {**PAYLOADS["memory.remember_requested"], "items": items}
        return Event(tenant_id=tenant, type="memory.remember_requested", key="k", payload=payload)

    [smallest] = relayed(request(1))
    largest = PAYLOAD_BYTES - encoded_length(smallest.payload) + 1
    limit = "event payload is 262145 bytes; the limit is 262144 bytes"
    with pytest.raises(LimitExceeded, match=limit), tenant_transaction(tenant):
        publish(request(largest + 1))
    entries = relayed(request(largest))
    assert [encoded_length(entry.payload) for entry in entries] == [
        encoded_length(smallest.payload),
        PAYLOAD_BYTES,
    ]


@pytest.mark.req("SCHEMA-001")
@pytest.mark.parametrize(
    "text",
    [
        "Grüße, 世界, שלום, 🧠👩‍🔬",
        "quotes ' \" and \\ and \\u0000 and \\\\u0000 as text",
        "%s %(name)s {} $1 ; -- /* \n\r\t\x01\x7f\u2028\ufeff\uffff",
        "",
    ],
)
def test_any_text_survives(tenant: UUID, relayed: Relayed, text: str) -> None:
    [entry] = relayed(failed_turn(tenant, text, key=f"k {text}"))
    assert entry.payload["detail"] == text
    assert entry.key == f"k {text}"


@pytest.mark.req("PERSIST-002")
def test_numbers_survive_to_the_last_digit(tenant: UUID, relayed: Relayed) -> None:
    numbers = [0.1, 1 / 3, 1e-300, 1.7976931348623157e308, 5e-324, 2**-52, 123456789.12345678]
    weights = dict(zip(PAYLOADS["chat.iteration_completed"]["weights_after"], numbers, strict=True))
    payload = {**PAYLOADS["chat.iteration_completed"], "weights_after": weights}
    [entry] = relayed(Event(tenant_id=tenant, type="chat.iteration_completed", key="k", payload=payload))
    assert entry.payload["weights_after"] == weights


@pytest.mark.req("PERSIST-002")
def test_a_tenants_events_keep_their_order_under_concurrent_writers(
    tenant: UUID, relayed: Relayed, details: Callable[[UUID], list[str]]
) -> None:
    """Each writer's own events come in the order it committed them, and the log has all of them once."""

    def write(writer: int) -> None:
        for number in range(25):
            with tenant_transaction(tenant):
                publish(
                    failed_turn(tenant, f"{writer}:{number}:a"), failed_turn(tenant, f"{writer}:{number}:b")
                )
        connections.close_all()

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    entries = relayed(failed_turn(tenant, "last"))
    assert [entry.sequence for entry in entries] == list(range(1, 302))
    told = details(tenant)
    for writer in range(6):
        mine = [detail for detail in told if detail.startswith(f"{writer}:")]
        assert mine == [f"{writer}:{number}:{part}" for number in range(25) for part in "ab"]


@pytest.mark.req("PERSIST-002")
def test_an_effect_never_stands_before_its_cause(tenant: UUID, relayed: Relayed) -> None:
    """A slow transaction takes its id first and commits last; what was published because of a committed
    event still comes after that event."""
    slow_has_id, cause_is_in = threading.Event(), threading.Event()

    def slow() -> None:
        with tenant_transaction(tenant):
            publish(failed_turn(tenant, "slow"))
            slow_has_id.set()
            assert cause_is_in.wait(30)
        connections.close_all()

    thread = threading.Thread(target=slow)
    thread.start()
    assert slow_has_id.wait(30)
    with tenant_transaction(tenant):
        publish(failed_turn(tenant, "cause"))
    with tenant_transaction(tenant):
        publish(failed_turn(tenant, "effect"))
    cause_is_in.set()
    thread.join()
    entries = relayed(failed_turn(tenant, "last"))
    told = [entry.payload["detail"] for entry in entries]
    assert sorted(told) == ["cause", "effect", "last", "slow"]
    assert told.index("cause") < told.index("effect") < told.index("last")
    assert [entry.sequence for entry in entries] == [1, 2, 3, 4]
