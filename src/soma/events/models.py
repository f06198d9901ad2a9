"""The rows of the event backbone."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

ATTRIBUTE_LENGTH = 200
"""Longest topic, type, key and trace id, in characters: they stand in indexes and, with Kafka, in headers."""

PARTITION_LENGTH = 300
"""Longest partition name: a Kafka topic has 249 characters at most."""


class EventRow(models.Model):
    """What an event consists of, wherever it rests."""

    event_id = models.UUIDField()
    tenant_id = models.UUIDField()
    topic = models.CharField(max_length=ATTRIBUTE_LENGTH)
    type = models.CharField(max_length=ATTRIBUTE_LENGTH)
    version = models.SmallIntegerField()
    key = models.CharField(max_length=ATTRIBUTE_LENGTH)
    payload = models.JSONField()
    trace_id = models.CharField(max_length=ATTRIBUTE_LENGTH)
    occurred_at = models.DateTimeField()

    class Meta:
        abstract = True


class OutboxMessage(EventRow):
    """An event that is committed with its facts and not yet in the log. Deleted when it is.

    `payload` is the JSON text as published: nothing looks into it on the way, and it is shorter than jsonb.
    """

    id = models.BigAutoField(primary_key=True)
    payload = models.TextField()
    attempts = models.SmallIntegerField(default=0, db_default=0)
    next_attempt_at = models.DateTimeField(null=True)
    last_error = models.TextField(default="", db_default="")

    class Meta:
        db_table = "outbox_message"
        indexes = (
            models.Index(
                fields=("tenant_id", "next_attempt_at"), condition=Q(attempts__gt=0), name="outbox_failed"
            ),
        )


class EventLogEntry(EventRow):
    """An event of the log. The database refuses every change of this table but an insert, and the removal of
    what is old by the role that is there for it.

    `position` is unique in the installation and only grows; `sequence` counts 1, 2, 3, … within a tenant.
    """

    position = models.BigAutoField(primary_key=True)
    sequence = models.BigIntegerField()
    recorded_at = models.DateTimeField()

    class Meta:
        db_table = "event_log"
        constraints = (
            models.UniqueConstraint(fields=("tenant_id", "sequence"), name="event_log_sequence"),
            models.UniqueConstraint(fields=("event_id",), name="event_log_event"),
            models.CheckConstraint(condition=Q(sequence__gt=0), name="event_log_sequence_positive"),
        )
        indexes = (models.Index(fields=("tenant_id", "key", "sequence"), name="event_log_key"),)


class EventPlace(models.Model):
    """Where in Kafka an event of the log stands. The database refuses what it refuses for the log.

    What is not written here is not in the log, whatever a topic holds. `position` is Kafka's offset plus
    one: as with Kafka's own committed offsets, whoever has handled it goes on from there.
    """

    event_id = models.UUIDField(primary_key=True)
    tenant_id = models.UUIDField()
    sequence = models.BigIntegerField()
    type = models.CharField(max_length=ATTRIBUTE_LENGTH)
    key = models.CharField(max_length=ATTRIBUTE_LENGTH)
    partition = models.CharField(max_length=PARTITION_LENGTH, db_collation="C")
    position = models.BigIntegerField()
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "event_place"
        constraints = (
            models.UniqueConstraint(fields=("tenant_id", "sequence"), name="event_place_sequence"),
            models.UniqueConstraint(fields=("partition", "position"), name="event_place_position"),
            models.CheckConstraint(condition=Q(sequence__gt=0), name="event_place_sequence_positive"),
        )
        indexes = (
            models.Index(fields=("tenant_id", "key", "sequence"), name="event_place_key"),
            models.Index(fields=("recorded_at",), name="event_place_recorded"),
        )


class EventStream(models.Model):
    """How far a tenant's sequence has come."""

    tenant_id = models.UUIDField(primary_key=True)
    last_sequence = models.BigIntegerField()

    class Meta:
        db_table = "event_stream"


class AuditLink(models.Model):
    """What the audit chain says of an event: `digest` covers it and all before it. See audit.link. The
    database refuses every change of it but an insert."""

    pk = models.CompositePrimaryKey("tenant_id", "sequence")
    tenant_id = models.UUIDField()
    sequence = models.BigIntegerField()
    event_id = models.UUIDField()
    digest = models.BinaryField()

    class Meta:
        db_table = "audit_link"


class AuditCheckpoint(models.Model):
    """A link that was signed. See audit.checkpoint. The database refuses every change of it but an insert."""

    pk = models.CompositePrimaryKey("tenant_id", "number")
    tenant_id = models.UUIDField()
    number = models.BigIntegerField()
    sequence = models.BigIntegerField()
    event_id = models.UUIDField()
    digest = models.BinaryField()
    created_at = models.DateTimeField()
    key_id = models.CharField(max_length=16)
    signature = models.BinaryField()

    class Meta:
        db_table = "audit_checkpoint"
        constraints = (
            models.UniqueConstraint(fields=("tenant_id", "sequence"), name="audit_checkpoint_sequence"),
        )


class AuditExpiry(models.Model):
    """What the retention was about to remove, signed. See audit.expiry. The database refuses every change of
    it but an insert."""

    pk = models.CompositePrimaryKey("tenant_id", "sequence")
    tenant_id = models.UUIDField()
    sequence = models.BigIntegerField()
    digest = models.BinaryField()
    created_at = models.DateTimeField()
    key_id = models.CharField(max_length=16)
    signature = models.BinaryField()

    class Meta:
        db_table = "audit_expiry"


class Blob(models.Model):
    """A content that events or rows name by its hash, kept for `owner_id`: see blobs. Immutable, but for
    `lasting` (it stays as long as its owner; else as long as events are kept) and when it was last named."""

    pk = models.CompositePrimaryKey("tenant_id", "owner_id", "hash")
    tenant_id = models.UUIDField()
    owner_id = models.UUIDField()
    hash = models.BinaryField()
    size = models.IntegerField()
    deflated = models.BooleanField()
    lasting = models.BooleanField()
    named_at = models.DateTimeField()
    content = models.BinaryField()

    class Meta:
        db_table = "blob"
        indexes = (models.Index(fields=("named_at",), condition=Q(lasting=False), name="blob_expiring"),)


class ConsumerOffset(models.Model):
    """How far a consumer has read in a partition of the log, and when that was kept."""

    pk = models.CompositePrimaryKey("name", "partition")
    name = models.CharField(max_length=ATTRIBUTE_LENGTH)
    partition = models.CharField(max_length=PARTITION_LENGTH)
    position = models.BigIntegerField()
    saved_at = models.DateTimeField()

    class Meta:
        db_table = "consumer_offset"


class ConsumerHeartbeat(models.Model):
    """The latest sign of life of a consumer: from which process, and what kept it from its work."""

    name = models.CharField(max_length=ATTRIBUTE_LENGTH, primary_key=True)
    process = models.CharField(max_length=ATTRIBUTE_LENGTH)
    beat_at = models.DateTimeField()
    last_error = models.TextField()

    class Meta:
        db_table = "consumer_heartbeat"


class ParkedEvent(models.Model):
    """An event that a consumer could not handle yet, or one of the same tenant and partition that waits
    behind it."""

    id = models.BigAutoField(primary_key=True)
    consumer = models.CharField(max_length=ATTRIBUTE_LENGTH)
    partition = models.CharField(max_length=PARTITION_LENGTH)
    position = models.BigIntegerField()
    tenant_id = models.UUIDField()
    attempts = models.SmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    last_error = models.TextField(default="")

    class Meta:
        db_table = "parked_event"
        constraints = (
            models.UniqueConstraint(fields=("consumer", "partition", "position"), name="parked_event_once"),
        )
        indexes = (
            models.Index(fields=("consumer", "partition", "tenant_id", "position"), name="parked_event_head"),
        )


class DeadLetter(EventRow):
    """An event that the relay or a consumer gave up on. Where it stands in the log is null when it never
    reached that. `settled_at`: since when it is no longer given up, but being tried again."""

    id = models.UUIDField(primary_key=True)
    source = models.CharField(max_length=ATTRIBUTE_LENGTH)
    partition = models.CharField(max_length=PARTITION_LENGTH, null=True)
    position = models.BigIntegerField(null=True)
    sequence = models.BigIntegerField(null=True)
    recorded_at = models.DateTimeField(null=True)
    attempts = models.SmallIntegerField()
    error = models.TextField()
    failed_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "dead_letter"
        indexes = (models.Index(fields=("tenant_id", "failed_at"), name="dead_letter_recent"),)
