"""What the tiers above may use of the event backbone."""

from soma.events.adapters.event_log_postgres import PostgresEventLog
from soma.events.consumer import Consumer
from soma.events.consumer_backlog import ConsumerBacklog, Reached
from soma.events.consumer_heartbeats import Heartbeat
from soma.events.consumer_runner import ConsumerRunner, ConsumerStatus
from soma.events.dead_letters import LetterCount
from soma.events.errors import (
    EventError,
    EventLogUnavailable,
    EventRefused,
    OutsideTransaction,
    SchemaBreach,
    UnknownEventType,
)
from soma.events.event import Event, StoredEvent
from soma.events.letters import (
    Letter,
    dead_letter,
    dead_letters,
    retry_dead_letter,
    retry_dead_letters,
)
from soma.events.outbox import Backlog
from soma.events.ports import EventLog
from soma.events.publishing import PAYLOAD_BYTES, publish
from soma.events.relay import Relay, RelayStatus
from soma.events.retention import Retention, Swept
from soma.events.retry import RetryPolicy

__all__ = (
    "PAYLOAD_BYTES",
    "Backlog",
    "Consumer",
    "ConsumerBacklog",
    "ConsumerRunner",
    "ConsumerStatus",
    "Event",
    "EventError",
    "EventLog",
    "EventLogUnavailable",
    "EventRefused",
    "Heartbeat",
    "Letter",
    "LetterCount",
    "OutsideTransaction",
    "PostgresEventLog",
    "Reached",
    "Relay",
    "RelayStatus",
    "Retention",
    "RetryPolicy",
    "SchemaBreach",
    "StoredEvent",
    "Swept",
    "UnknownEventType",
    "dead_letter",
    "dead_letters",
    "publish",
    "retry_dead_letter",
    "retry_dead_letters",
)
