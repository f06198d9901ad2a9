"""Publishing: events go into the outbox in the transaction of the facts they state."""

from typing import Any

import orjson
from django.db import connections, transaction

from soma.base.canonical import json_bytes
from soma.base.database import APP
from soma.base.errors import LimitExceeded
from soma.events.admission import holds_nul
from soma.events.errors import OutsideTransaction, SchemaBreach
from soma.events.event import Event
from soma.events.models import ATTRIBUTE_LENGTH
from soma.events.schema_catalogue import schema_of
from soma.events.waker import RELAYS

PAYLOAD_BYTES = 256 * 1024
"""Longest payload, in bytes of compact UTF-8 JSON."""

# One parameter and one text for any number of rows, so that the statement stays prepared. bulk_create takes
# twice the client's CPU for the two or three events of an iteration, and asks for ids that nobody reads.
INSERT = """
INSERT INTO outbox_message
       (event_id, tenant_id, topic, type, version, key, payload, trace_id, occurred_at)
SELECT event_id, tenant_id, topic, type, version, key, payload, trace_id, occurred_at
FROM json_to_recordset(%s::json) AS row(
    event_id uuid, tenant_id uuid, topic text, type text, version smallint, key text,
    payload text, trace_id text, occurred_at timestamptz)
"""


def publish(*events: Event, using: str = APP) -> None:
    """Put `events` into the outbox, to be relayed in this order once the open transaction commits.

    All are checked before any is stored. Raises UnknownEventType, SchemaBreach, LimitExceeded (payload of
    more than 256 KiB, attribute of more than 200 characters), OutsideTransaction. An event of another
    tenant than the transaction's is refused by the database.
    """
    if not connections[using].in_atomic_block:
        raise OutsideTransaction("publish() belongs into the transaction of the facts it tells of")
    if not events:
        return
    rows = _encoded([_row(event) for event in events])
    with connections[using].cursor() as cursor:
        cursor.execute(INSERT, [rows])
    transaction.on_commit(RELAYS.wake, using=using)


def _row(event: Event) -> dict[str, Any]:
    schema = schema_of(event.type, event.version)
    if event.topic and event.topic != schema.topic:
        raise SchemaBreach(f"{event.type} belongs to the topic {schema.topic}, not to {event.topic}")
    schema.check(event.payload)
    for name, value in (("event key", event.key), ("event trace id", event.trace_id)):
        _check_length(name, len(value), ATTRIBUTE_LENGTH, "characters")
    return {
        "event_id": event.event_id,
        "tenant_id": event.tenant_id,
        "topic": schema.topic,
        "type": event.type,
        "version": event.version,
        "key": event.key,
        "payload": orjson.Fragment(_payload(event)),
        "trace_id": event.trace_id,
        "occurred_at": event.occurred_at,
    }


def _payload(event: Event) -> bytes:
    try:
        payload = json_bytes(event.payload)
    except TypeError as not_json:
        raise SchemaBreach(f"{event.type} v{event.version}: not JSON: {not_json}") from None
    _check_length("event payload", len(payload), PAYLOAD_BYTES, "bytes")
    return payload


def _encoded(rows: list[dict[str, Any]]) -> str:
    try:
        encoded = orjson.dumps(rows)
    except TypeError as not_json:
        raise SchemaBreach(f"an event attribute is not JSON: {not_json}") from None
    text = encoded.decode()
    if holds_nul(text):
        raise SchemaBreach("an event holds U+0000, which the database cannot store")
    return text


def _check_length(name: str, actual: int, maximum: int, unit: str) -> None:
    if actual > maximum:
        raise LimitExceeded(name, maximum=maximum, actual=actual, unit=unit)
