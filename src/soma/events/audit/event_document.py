"""An event as the audit chain covers it: canonical JSON of all that it says."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from soma.base.canonical import json_value
from soma.base.canonical_json import canonical_json
from soma.base.clock import iso
from soma.events.errors import EventRefused
from soma.events.event import PendingEvent, StoredEvent


@dataclass(frozen=True, slots=True)
class Document:
    """An event's canonical document but for `recorded_at` and `sequence`, which only the log gives."""

    before: bytes
    after: bytes

    def recorded(self, sequence: int, recorded_at: str) -> bytes:
        """RFC 8785 bytes of the document; `recorded_at` in RFC 3339."""
        return b'%s"recorded_at":"%s","sequence":%d,%s' % (
            self.before,
            recorded_at.encode(),
            sequence,
            self.after,
        )


def pending_document(event: PendingEvent) -> Document:
    """The document of an event that is to be recorded. Raises EventRefused when its payload is no JSON."""
    try:
        return _document(event, json_value(event.payload))
    except ValueError as not_json:
        raise EventRefused(f"the payload is no JSON: {not_json}") from None


def stored_document(event: StoredEvent) -> bytes:
    """RFC 8785 bytes of the document of an event of the log."""
    return _document(event, event.payload).recorded(event.sequence, iso(event.recorded_at))


def _document(event: PendingEvent | StoredEvent, payload: Any) -> Document:
    """An object of the members below, in the order that JCS gives them. Where the log keeps an event
    (partition, position) is not of it."""
    # By hand, because the relay does it for every event: only these texts can hold what needs escaping.
    before = b'{"event_id":"%s","key":%s,"occurred_at":"%s","payload":%s,' % (
        _ascii(event.event_id),
        orjson.dumps(event.key),
        iso(event.occurred_at).encode(),
        canonical_json(payload),
    )
    after = b'"tenant_id":"%s","topic":%s,"trace_id":%s,"type":%s,"version":%d}' % (
        _ascii(event.tenant_id),
        orjson.dumps(event.topic),
        orjson.dumps(event.trace_id),
        orjson.dumps(event.type),
        event.version,
    )
    return Document(before, after)


def as_json(event: StoredEvent) -> Any:
    """The same document as a JSON value."""
    return json_value(stored_document(event))


def _ascii(identifier: UUID) -> bytes:
    return str(identifier).encode()
