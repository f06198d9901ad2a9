"""What can go wrong with an event.

EventError
├── UnknownEventType        no schema file for this type and version
├── SchemaBreach            the payload breaks its schema
├── OutsideTransaction      published with no transaction open
├── EventRefused            the log cannot take this event, now or later
└── BlobMissing             a content that is named is not there any more
    └── BlobAltered         it is not what its hash says
Unavailable
└── EventLogUnavailable     the log takes nothing at present; the events are not to blame
    └── EventMissing        the log does not have what was recorded in it
"""

from uuid import UUID

from soma.base.errors import NotFound, SomaError, Unavailable


class EventError(SomaError):
    """A fault of whoever publishes, not of whoever asked for something."""

    code = "event_error"
    title = "An event is not valid"


class UnknownEventType(EventError):
    """There is no schema for this type and version."""

    code = "unknown_event_type"
    title = "The event type is not known"


class SchemaBreach(EventError):
    """The payload or topic is not what the schema says. The offending value is never quoted."""

    code = "schema_breach"
    title = "The event breaks its schema"


class OutsideTransaction(EventError):
    """An event without a transaction could be stored without its facts, or they without it."""

    code = "outside_transaction"
    title = "The event was published outside a transaction"


class EventRefused(EventError):
    """The log refuses something of a batch for good. Which event it is shows when they come singly."""

    code = "event_refused"
    title = "The log refuses an event"


class BlobMissing(EventError, NotFound):
    """What `sha256` names was deleted, or has gone with its time."""

    code = "blob_missing"
    title = "A recorded content is gone"

    def __init__(self, detail: str, *, sha256: str) -> None:
        super().__init__(detail, sha256=sha256)
        self.sha256 = sha256


class BlobAltered(BlobMissing):
    """Something else is kept under `sha256`."""

    code = "blob_altered"
    title = "A recorded content was altered"


class EventLogUnavailable(Unavailable):
    """The log takes nothing at present."""

    code = "event_log_unavailable"
    title = "The event log does not answer"


class EventMissing(EventLogUnavailable):
    """What was recorded as `sequence` of its tenant is not there, or something else is in its place: the log
    is another one, or somebody has had a hand in it. `replaced`: the latter."""

    code = "event_missing"
    title = "The event log has lost an event"

    def __init__(self, detail: str, *, sequence: int, event_id: UUID, replaced: bool) -> None:
        super().__init__(detail)
        self.sequence = sequence
        self.event_id = event_id
        self.replaced = replaced
