"""The tables of storage: memories, their links and texts, what they use, and vectors that are to be removed
elsewhere."""

from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from pgvector.django import HalfVectorField

DIMENSIONS = 384
"""The length of a vector."""

POSTGRES_INDEX = UUID(int=3)
"""What `indexed_by` says of a memory whose sketch is in a block. 1 said that its vector was in an index that
is no more, 2 that its sketch was one of signs alone: they are taken for those that are in none. Identities of
other indexes are random, and greater."""


class MemoryRecordRow(models.Model):
    """One memory, and the truth about it whichever technology searches the vectors.

    `written_at` is the time of the row's present state, and with `id` names it for good. `indexed_by` names
    the index that holds the vector of this state; null while none does, and then a search reads the row
    itself. The vector is always kept here, in half precision: its cosines differ from those in single
    precision by less than .001, and any index can be built from it without asking a model.
    """

    id = models.UUIDField(primary_key=True)
    tenant_id = models.UUIDField()
    namespace = models.CharField(max_length=200)
    key = models.CharField(max_length=300)
    content = models.TextField()
    content_hash = models.CharField(max_length=64)
    role = models.CharField(max_length=40)
    speaker = models.CharField(max_length=200, blank=True)
    occurred_at = models.DateTimeField()
    importance = models.FloatField()
    embedding = HalfVectorField(dimensions=DIMENSIONS)
    provenance = models.JSONField()
    created_at = models.DateTimeField()
    written_at = models.DateTimeField()
    indexed_by = models.UUIDField(null=True)

    class Meta:
        db_table = "memory_record"
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "namespace", "key"], name="memory_record_key"),
        ]
        indexes = [
            models.Index(fields=["content_hash", "tenant_id", "namespace"], name="memory_record_content"),
            models.Index(
                fields=["tenant_id", "indexed_by", "namespace"],
                name="memory_record_waiting",
                condition=Q(indexed_by=None)
                | Q(indexed_by__lt=POSTGRES_INDEX)
                | Q(indexed_by__gt=POSTGRES_INDEX),
            ),
        ]


class SketchBlockRow(models.Model):
    """Sketches of some of a namespace's memories, those with the ids from `lowest` to `highest`; see
    kernels.sketch_block. `version` rises with each change of any of the namespace's blocks."""

    pk = models.CompositePrimaryKey("tenant_id", "namespace", "number")
    tenant_id = models.UUIDField()
    namespace = models.CharField(max_length=200)
    number = models.BigIntegerField()
    version = models.BigIntegerField()
    lowest = models.UUIDField(null=True)
    highest = models.UUIDField(null=True)
    entries = models.BinaryField()

    class Meta:
        db_table = "memory_sketch"
        indexes = [
            models.Index(fields=["tenant_id", "namespace", "version"], name="memory_sketch_version"),
        ]


class VectorRemovalRow(models.Model):
    """A vector that another index still holds, of a state of a memory that is gone."""

    tenant_id = models.UUIDField()
    indexed_by = models.UUIDField()
    record_id = models.UUIDField()
    written_at = models.DateTimeField()

    class Meta:
        db_table = "memory_vector_removal"
        indexes = [models.Index(fields=["tenant_id", "indexed_by"], name="memory_vector_removal_owed")]


class MemoryLinkRow(models.Model):
    """A link from one memory to another. It goes with either; the database sees to that.

    `conductance` is that of `settled_at`; from then on it comes nearer to `rest`, where it has no use. `flow`
    is the average of what its uses sent through it.
    """

    id = models.UUIDField(primary_key=True)
    tenant_id = models.UUIDField()
    source_id = models.UUIDField()
    target_id = models.UUIDField()
    kind = models.CharField(max_length=40)
    conductance = models.FloatField()
    rest = models.FloatField()
    flow = models.FloatField()
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField()

    class Meta:
        db_table = "memory_link"
        constraints = [
            models.UniqueConstraint(fields=["source_id", "target_id", "kind"], name="memory_link_key"),
        ]
        indexes = [models.Index(fields=["target_id"], name="memory_link_target")]


class LinkUseRow(models.Model):
    """A use that links have taken in: written with them, so that none is taken in twice."""

    pk = models.CompositePrimaryKey("tenant_id", "key")
    tenant_id = models.UUIDField()
    key = models.CharField(max_length=200)
    used_at = models.DateTimeField()

    class Meta:
        db_table = "memory_link_use"


class NamespaceRow(models.Model):
    """A namespace that has passages: how many, of how many terms together. `next_number` is the number of the
    next one; those up to `sealed_to` have their postings in blocks."""

    tenant_id = models.UUIDField()
    name = models.CharField(max_length=200)
    records = models.BigIntegerField()
    tokens = models.BigIntegerField()
    next_number = models.BigIntegerField()
    sealed_to = models.BigIntegerField()

    class Meta:
        db_table = "memory_namespace"
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "name"], name="memory_namespace_name"),
        ]


class PassageRow(models.Model):
    """The analysed text of a memory; see the domain's Passage. It goes with the memory; the database sees to
    that, and whoever deletes the memory corrects what the namespace counts.

    `number` is new whenever the text is; `place` stays, and tells neighbours of one moment apart. `speaker`
    and `occurred_at` are the memory's. `previous_id` and `next_id` are the memories beside it in its session.
    """

    record_id = models.UUIDField(primary_key=True)
    tenant_id = models.UUIDField()
    namespace_id = models.BigIntegerField()
    number = models.BigIntegerField()
    place = models.BigIntegerField()
    session = models.CharField(max_length=200, blank=True, db_collation="C")
    speaker = models.CharField(max_length=200, blank=True)
    occurred_at = models.DateTimeField()
    previous_id = models.UUIDField(null=True)
    next_id = models.UUIDField(null=True)
    terms = ArrayField(models.TextField(db_collation="C"))
    frequencies = ArrayField(models.SmallIntegerField())
    length = models.IntegerField()
    words = models.IntegerField()
    told = models.FloatField()
    asks = models.BooleanField()
    timed = models.BooleanField()
    sentences = models.BinaryField(null=True)

    class Meta:
        db_table = "memory_passage"
        constraints = [
            models.UniqueConstraint(fields=["namespace_id", "number"], name="memory_passage_number"),
        ]
        indexes = [
            models.Index(
                fields=["namespace_id", "session", "occurred_at", "place"], name="memory_passage_session"
            ),
        ]


class PostingBlockRow(models.Model):
    """Some of the records that hold a term: those from `first_number` to the term's next block. `block` is
    written by kernels.posting_block with `first_number` as its base."""

    pk = models.CompositePrimaryKey("namespace_id", "term", "first_number")
    tenant_id = models.UUIDField()
    namespace_id = models.BigIntegerField()
    term = models.TextField(db_collation="C")
    first_number = models.BigIntegerField()
    block = models.BinaryField()

    class Meta:
        db_table = "memory_posting"


class SpeakerRow(models.Model):
    """Of how many of a namespace's passages somebody is the speaker."""

    pk = models.CompositePrimaryKey("namespace_id", "name")
    tenant_id = models.UUIDField()
    namespace_id = models.BigIntegerField()
    name = models.CharField(max_length=200)
    records = models.BigIntegerField()

    class Meta:
        db_table = "memory_speaker"


class UsageRow(models.Model):
    """What a namespace uses, or with the name "" the tenant; a row where there is anything."""

    pk = models.CompositePrimaryKey("tenant_id", "namespace")
    tenant_id = models.UUIDField()
    namespace = models.CharField(max_length=200, blank=True)
    records = models.BigIntegerField()
    bytes = models.BigIntegerField()

    class Meta:
        db_table = "memory_usage"
