"""An event as a record of Kafka, and back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from confluent_kafka import Message

from soma.base.canonical import json_value
from soma.base.clock import iso
from soma.events.admission import holds_nul
from soma.events.errors import EventRefused
from soma.events.event import PendingEvent, StoredEvent


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """What is sent. `key` is the tenant: Kafka keeps each tenant's records of a topic in one partition."""

    topic: str
    key: str
    value: bytes
    headers: list[tuple[str, str | bytes | None]]


def record_of(event: PendingEvent, *, topic: str, sequence: int, recorded_at: datetime) -> Record:
    """`event` as it goes to `topic`."""
    headers = {
        "event_id": str(event.event_id),
        "sequence": str(sequence),
        "type": event.type,
        "version": str(event.version),
        "key": event.key,
        "trace_id": event.trace_id,
        "occurred_at": iso(event.occurred_at),
        "recorded_at": iso(recorded_at),
    }
    return Record(
        topic=topic, key=str(event.tenant_id), value=event.payload.encode(), headers=list(headers.items())
    )


def require_object(event: PendingEvent) -> None:
    """Raises EventRefused for a payload that PostgreSQL would not take as one: what is in the log can be
    read, and can move to the other log."""
    try:
        payload = json_value(event.payload)
    except ValueError as not_json:
        raise EventRefused(f"the payload is no JSON: {not_json}") from None
    if not isinstance(payload, dict):
        raise EventRefused("the payload is no JSON object")
    if holds_nul(event.payload):
        raise EventRefused("the payload holds U+0000")


def event_id_of(message: Message) -> str:
    """The event_id that a record names; empty for one that nobody here has written."""
    return _headers(message).get("event_id", "")


def stored_event(message: Message, *, topic: str, partition: str, position: int) -> StoredEvent:
    """The event that a record holds."""
    headers = _headers(message)
    return StoredEvent(
        partition=partition,
        position=position,
        sequence=int(headers["sequence"]),
        event_id=UUID(headers["event_id"]),
        tenant_id=UUID(_text(message.key())),
        topic=topic,
        type=headers["type"],
        version=int(headers["version"]),
        key=headers["key"],
        payload=json_value(message.value() or b""),
        trace_id=headers["trace_id"],
        occurred_at=datetime.fromisoformat(headers["occurred_at"]),
        recorded_at=datetime.fromisoformat(headers["recorded_at"]),
    )


def _headers(message: Message) -> Mapping[str, str]:
    headers = message.headers() or []
    pairs = headers.items() if isinstance(headers, dict) else headers
    return {name: _text(value) for name, value in pairs}


def _text(value: str | bytes | None) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""
