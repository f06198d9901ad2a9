"""What the tiers above may use of the event backbone."""

from soma.events.adapters.event_log_postgres import PostgresEventLog
from soma.events.audit.checkpoint import Checkpoint as AuditCheckpoint
from soma.events.audit.checkpoint import checkpoint_from as audit_checkpoint_from
from soma.events.audit.finding import AuditReport
from soma.events.audit.signer import AuditSigner
from soma.events.audit.standalone import verifier_source
from soma.events.audit.trail import AuditTrail, PublicKey
from soma.events.blobs import Content, keep_blobs, read_blobs, release_blobs, require_blobs
from soma.events.consumer import Consumer
from soma.events.consumer_backlog import ConsumerBacklog, Reached
from soma.events.consumer_heartbeats import Heartbeat
from soma.events.consumer_runner import ConsumerRunner, ConsumerStatus
from soma.events.dead_letters import LetterCount
from soma.events.dead_letters import counts as letter_counts
from soma.events.errors import (
    BlobAltered,
    BlobMissing,
    EventError,
    EventLogUnavailable,
    EventMissing,
    EventRefused,
    OutsideTransaction,
    SchemaBreach,
    UnknownEventType,
)
from soma.events.event import Event, StoredEvent
from soma.events.event_stream import last_sequence
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
from soma.events.schema_catalogue import EventSchema
from soma.events.status import BackboneStatus, ConsumerReport, backbone_status
from soma.events.topics import TOPICS, schema_document, schemas_of

__all__ = (
    "PAYLOAD_BYTES",
    "TOPICS",
    "AuditCheckpoint",
    "AuditReport",
    "AuditSigner",
    "AuditTrail",
    "BackboneStatus",
    "Backlog",
    "BlobAltered",
    "BlobMissing",
    "Consumer",
    "ConsumerBacklog",
    "ConsumerReport",
    "ConsumerRunner",
    "ConsumerStatus",
    "Content",
    "Event",
    "EventError",
    "EventLog",
    "EventLogUnavailable",
    "EventMissing",
    "EventRefused",
    "EventSchema",
    "Heartbeat",
    "Letter",
    "LetterCount",
    "OutsideTransaction",
    "PostgresEventLog",
    "PublicKey",
    "Reached",
    "Relay",
    "RelayStatus",
    "Retention",
    "RetryPolicy",
    "SchemaBreach",
    "StoredEvent",
    "Swept",
    "UnknownEventType",
    "audit_checkpoint_from",
    "backbone_status",
    "dead_letter",
    "dead_letters",
    "keep_blobs",
    "last_sequence",
    "letter_counts",
    "publish",
    "read_blobs",
    "release_blobs",
    "require_blobs",
    "retry_dead_letter",
    "retry_dead_letters",
    "schema_document",
    "schemas_of",
    "verifier_source",
)
